use super::*;

#[test]
fn words_are_quoted_as_systemd_reads_them() {
    for (word, wanted) in [
        ("--peer", "--peer"),
        ("pc-a:7670", "pc-a:7670"),
        ("", "\"\""),
        ("two words", "\"two words\""),
        ("50% of $HOME", "\"50%% of $$HOME\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
    ] {
        assert_eq!(quoted(word), wanted);
    }
}

#[test]
fn what_a_restart_cannot_mend_is_not_restarted() {
    use crate::cli::error::Exit;
    let unit = text(Scope::System, Path::new("/usr/local/bin/meshmq"), &[]);
    let line = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    let listed: Vec<u8> =
        line.expect("the line").split(' ').map(|code| code.parse().expect("a number")).collect();
    for exit in [Exit::Usage, Exit::Exists, Exit::Disk, Exit::Denied, Exit::Configuration] {
        assert!(listed.contains(&(exit as u8)), "{exit:?}");
    }
    assert!(!listed.contains(&(Exit::Later as u8)) && !listed.contains(&(Exit::Defect as u8)));
}

#[test]
fn a_users_unit_has_no_other_user_and_no_directory_of_the_system() {
    let unit = text(Scope::User, Path::new("/home/x/bin/meshmq"), &["--no-discovery".to_owned()]);
    assert!(unit.contains("ExecStart=/home/x/bin/meshmq up --no-discovery\n"), "{unit}");
    assert!(
        !unit.contains("User=") && !unit.contains("/var/lib") && unit.contains("default.target")
    );
}
