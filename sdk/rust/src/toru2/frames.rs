//! Frames of toru/2: 1 byte of kind, 3 bytes of length, and what they announce.

use super::Breach;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// What follows the head of a frame has so many bytes at most.
pub(super) const LARGEST: usize = 65_536;
/// Of a body, in one frame.
pub(super) const LARGEST_PART: usize = LARGEST - 4;

const MESSAGE: u8 = 0;
const DATA: u8 = 1;
const END: u8 = 2;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// JSON, not looked at yet.
    Message(Bytes),
    /// A part of a body.
    Data { request_id: u32, content: Bytes, is_last: bool },
}

/// The next frame of what was received; None where it isn't all there yet.
pub(super) fn next(received: &mut BytesMut) -> Result<Option<Frame>, Breach> {
    let Some(&[kind, a, b, c]) = received.first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    let shortest = match kind {
        MESSAGE => 1,
        DATA => 5,
        END => 4,
        _ => return Err(Breach(format!("a frame of kind {kind}"))),
    };
    if !(shortest..=LARGEST).contains(&length) {
        return Err(Breach(format!("a frame of kind {kind} with {length} bytes")));
    }
    if received.len() < 4 + length {
        return Ok(None);
    }
    received.advance(4);
    let mut content = received.split_to(length).freeze();
    Ok(Some(match kind {
        MESSAGE => Frame::Message(content),
        _ => Frame::Data { request_id: content.get_u32(), content, is_last: kind == END },
    }))
}

/// What a frame can't hold is a `TooLong`, and nothing is written.
pub(super) fn put_message(out: &mut BytesMut, message: &impl serde::Serialize) -> Result<(), TooLong> {
    let start = out.len();
    out.put_u32(0);
    // Nothing that is said here can fail to be JSON; if it does, it is as good as too long.
    let is_said = serde_json::to_writer((&mut *out).writer(), message).is_ok();
    let length = out.len() - start - 4;
    if !is_said || length > LARGEST {
        out.truncate(start);
        return Err(TooLong);
    }
    // Of kind 0: so the length alone is the head.
    out[start..start + 4].copy_from_slice(&u32::try_from(length).unwrap_or_default().to_be_bytes());
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// At most `LARGEST_PART` bytes.
pub(super) fn put_data(out: &mut BytesMut, request_id: u32, content: &[u8], is_last: bool) {
    let kind = u32::from(if is_last { END } else { DATA });
    out.put_u32(kind << 24 | u32::try_from(content.len() + 4).unwrap_or_default());
    out.put_u32(request_id);
    out.put_slice(content);
}
