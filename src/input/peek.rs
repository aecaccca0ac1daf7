//! A reader whose first bytes can be looked at before they are read.

use std::io::{self, BufRead, Read};

/// A reader with a look ahead. An error met while looking ahead is kept until the bytes before it
/// are read.
pub(super) struct Peek<R> {
    ahead: Vec<u8>,
    at: usize,
    error: Option<io::Error>,
    inner: R,
    /// Whether a *read* met the end. Looking ahead does not set it.
    pub(super) has_met_end: bool,
}

impl<R: BufRead> Peek<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { ahead: Vec::new(), at: 0, error: None, inner, has_met_end: false }
    }

    /// The next `length` bytes, fewer where the input ends or breaks before that.
    pub(super) fn ahead(&mut self, length: usize) -> &[u8] {
        self.ahead.drain(..self.at);
        self.at = 0;
        while self.ahead.len() < length && self.error.is_none() {
            match self.inner.fill_buf() {
                Ok([]) => break,
                Ok(bytes) => {
                    let taken = bytes.len().min(length - self.ahead.len());
                    self.ahead.extend_from_slice(&bytes[..taken]);
                    self.inner.consume(taken);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => self.error = Some(e),
            }
        }
        &self.ahead[..length.min(self.ahead.len())]
    }
}

impl<R: BufRead> Read for Peek<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let from_ahead = self.ahead.len() - self.at;
        if from_ahead > 0 {
            let taken = out.len().min(from_ahead);
            out[..taken].copy_from_slice(&self.ahead[self.at..][..taken]);
            self.at += taken;
            return Ok(taken);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let taken = self.inner.read(out)?;
        self.has_met_end |= taken == 0 && !out.is_empty();
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Peek<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.ahead.len() {
            return Ok(&self.ahead[self.at..]);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if self.at < self.ahead.len() {
            self.at = (self.at + amount).min(self.ahead.len());
        } else {
            self.inner.consume(amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_ahead_takes_nothing_away() {
        let mut peek = Peek::new(io::BufReader::with_capacity(2, &b"abcdefgh"[..]));
        assert_eq!(peek.ahead(3), b"abc");
        assert_eq!(peek.ahead(5), b"abcde");
        assert_eq!(peek.ahead(2), b"ab");
        let mut two = [0; 2];
        peek.read_exact(&mut two).expect("two bytes");
        assert_eq!(&two, b"ab");
        assert_eq!(peek.ahead(100), b"cdefgh");
        let mut rest = Vec::new();
        peek.read_to_end(&mut rest).expect("the rest");
        assert_eq!(rest, b"cdefgh");
        assert!(peek.has_met_end);
    }

    #[test]
    fn an_error_ahead_comes_after_the_bytes_before_it() {
        struct Breaks(u8);
        impl Read for Breaks {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => {
                        out[..2].copy_from_slice(b"ab");
                        Ok(2)
                    }
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
        }
        let mut peek = Peek::new(io::BufReader::new(Breaks(0)));
        assert_eq!(peek.ahead(10), b"ab");
        let mut two = [0; 2];
        peek.read_exact(&mut two).expect("two bytes");
        assert!(peek.fill_buf().is_err());
    }
}
