use super::*;

#[test]
fn the_systems_words_are_read() {
    let status = "Name:\tmeshmq\nVmRSS:\t   20480 kB\nvoluntary_ctxt_switches:\t7\n\
                  nonvoluntary_ctxt_switches:\t9\n";
    assert_eq!(field(status, "VmRSS:"), Some(20_480));
    assert_eq!(field(status, "voluntary_ctxt_switches:"), Some(7));
    assert_eq!(field(status, "Absent:"), None);
    let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                  Max open files            1024                 524288               files\n";
    assert_eq!(open_files_max(limits), Some(1_024));
    assert_eq!(open_files_max(&limits.replace("1024 ", "unlimited ")), Some(u64::MAX));
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_is_known_and_one_that_is_not_there_is_not() {
    let usage = usage(std::process::id()).expect("it is this user's");
    assert!(usage.open_files > 2 && usage.open_files <= usage.open_files_max, "{usage:?}");
    assert!(usage.resident_bytes > 1_000_000, "{usage:?}");
    assert!(usage.cpu > Duration::ZERO, "{usage:?}");
    assert_eq!(super::usage(u32::MAX), None);
}
