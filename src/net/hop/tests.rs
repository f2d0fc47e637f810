use super::{STEP, read_frame, write_frame};
use crate::engine::limits::FRAME_MAX;
use futures::executor::block_on;
use futures::io::Cursor;
use std::io::ErrorKind;

#[test]
fn frames_come_out_as_they_went_in() {
    for size in [0, 1, STEP - 1, STEP, STEP + 1, FRAME_MAX] {
        let mut io = Cursor::new(Vec::new());
        block_on(write_frame(&mut io, vec![7; size])).expect("written");
        io.set_position(0);
        assert_eq!(block_on(read_frame(&mut io)).expect("read"), vec![7; size]);
    }
}

#[test]
fn what_is_announced_too_large_is_refused_before_it_is_read() {
    let mut io = Cursor::new((FRAME_MAX as u32 + 1).to_be_bytes());
    assert_eq!(
        block_on(read_frame(&mut io)).expect_err("too large").kind(),
        ErrorKind::InvalidData
    );
    let written = block_on(write_frame(&mut Cursor::new(Vec::new()), vec![0; FRAME_MAX + 1]));
    assert_eq!(written.expect_err("too large").kind(), ErrorKind::InvalidData);
}

#[test]
fn a_frame_that_ends_early_is_an_error() {
    let mut bytes = 100_u32.to_be_bytes().to_vec();
    bytes.extend_from_slice(&[1; 99]);
    let cut = block_on(read_frame(&mut Cursor::new(bytes)));
    assert_eq!(cut.expect_err("cut").kind(), ErrorKind::UnexpectedEof);
}
