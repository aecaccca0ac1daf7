//! Room for what a text will say, made once: a list that doubles whenever it is full is copied again and again, and the
//! system hands out three times its memory.

/// Makes room in a list that is nearly full (fewer than `enough` more have their place), judging by what was read so far:
/// `read` of `length` bytes.
pub fn make_room<T>(list: &mut Vec<T>, enough: usize, read: usize, length: usize) {
    if list.capacity() - list.len() >= enough || read < FEWEST_READ {
        return;
    }
    let rest = (list.len() as u128 * length.saturating_sub(read) as u128 / read as u128) as usize;
    // What is not used costs nothing; what follows may be something else.
    let most = length / 2 / size_of::<T>().max(1);
    list.reserve((rest + rest / 4).min(most).max(enough));
}

/// Less says nothing of the rest.
const FEWEST_READ: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_once_and_bounded() {
        let mut list = vec![0u64; 1000];
        list.shrink_to_fit();
        make_room(&mut list, 10, 100, 1 << 20);
        assert_eq!(list.capacity(), 1000);
        // 1,000 in a sixteenth.
        make_room(&mut list, 10, 1 << 16, 1 << 20);
        let room = list.capacity();
        assert!((16_000..25_000).contains(&room), "{room}");
        make_room(&mut list, 10, 1 << 17, 1 << 20);
        assert_eq!(list.capacity(), room);
        // As many as half of the text is long, in bytes.
        let mut list = vec![0u64; 1 << 15];
        make_room(&mut list, 1 << 15, 1 << 16, 1 << 20);
        assert!(list.capacity() < 1 << 18, "{}", list.capacity());
    }
}
