//! The configuration file: mistakes lie within the text, and settings print as a file that gives
//! them again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::config::{exact_size, fuzzing, parse_size};

fuzz_target!(|text: &str| {
    match fuzzing::file(text) {
        Ok(settings) => {
            let lines: Vec<String> =
                settings.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
            assert_eq!(fuzzing::file(&lines.concat()).as_ref(), Ok(&settings));
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            let lines = text.split('\n').count();
            assert!(mistakes.iter().all(|mistake| (1..=lines).contains(&mistake.line)));
        }
    }
    if let Ok(bytes) = parse_size(text) {
        assert_eq!(parse_size(&exact_size(bytes)), Ok(bytes));
    }
});
