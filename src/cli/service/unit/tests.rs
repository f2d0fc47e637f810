use super::*;

#[test]
fn the_unit_names_the_program_its_bounds_and_what_it_is_not_restarted_after() {
    let unit = text(true, Path::new("/usr/bin/meshmq"), "up --config /etc/meshmq/config.toml");
    for line in [
        "Type=notify",
        "ExecStart=/usr/bin/meshmq up --config /etc/meshmq/config.toml",
        "RestartPreventExitStatus=64 65 66 73 74 77 78",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "StateDirectory=meshmq",
        "WantedBy=multi-user.target",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line} is not in\n{unit}");
    }
    let unit = text(false, Path::new("/home/me/my bin/mesh\"mq%"), "up");
    assert!(unit.contains("ExecStart=\"/home/me/my bin/mesh\\\"mq%%\" up\n"), "{unit}");
    assert!(!unit.contains("ProtectSystem") && !unit.contains("User="), "{unit}");
}
