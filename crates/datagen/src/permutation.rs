//! Bijections of a range of numbers, computed without a table.

/// Mixes 64 bits: a bijection in which every bit of the argument matters to every bit of the result
/// (the finaliser of `SplitMix64`).
#[inline]
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A key of its own for `number` below `key`.
#[inline]
pub fn derive(key: u64, number: u64) -> u64 {
    mix(key.wrapping_add(mix(number.wrapping_add(0x9e37_79b9_7f4a_7c15))))
}

const ROUNDS: usize = 4;

/// A bijection of `0..size` that looks random: a Feistel network over the next power of two, walked
/// until it lands within the range.
#[derive(Clone, Debug)]
pub struct Permutation {
    size: u64,
    low_bits: u32,
    low_mask: u64,
    high_mask: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The bijection of `0..size` that belongs to a key.
    pub fn new(size: u64, key: u64) -> Self {
        let bits = (u64::BITS - size.saturating_sub(1).leading_zeros()).max(2);
        let low_bits = bits / 2;
        Self {
            size,
            low_bits,
            low_mask: (1 << low_bits) - 1,
            high_mask: (1 << (bits - low_bits)) - 1,
            keys: std::array::from_fn(|round| derive(key, round as u64)),
        }
    }

    /// The number that `number` is taken to. `number` must lie in the range.
    #[inline]
    pub fn forward(&self, mut number: u64) -> u64 {
        loop {
            let (mut high, mut low) = (number >> self.low_bits, number & self.low_mask);
            for pair in self.keys.chunks_exact(2) {
                high ^= mix(low.wrapping_add(pair[0])) & self.high_mask;
                low ^= mix(high.wrapping_add(pair[1])) & self.low_mask;
            }
            number = high << self.low_bits | low;
            if number < self.size {
                return number;
            }
        }
    }

    /// The number that is taken to `number`. `number` must lie in the range.
    #[inline]
    pub fn backward(&self, mut number: u64) -> u64 {
        loop {
            let (mut high, mut low) = (number >> self.low_bits, number & self.low_mask);
            for pair in self.keys.chunks_exact(2).rev() {
                low ^= mix(high.wrapping_add(pair[1])) & self.low_mask;
                high ^= mix(low.wrapping_add(pair[0])) & self.high_mask;
            }
            number = high << self.low_bits | low;
            if number < self.size {
                return number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_range_is_reached_once_and_found_again() {
        for size in (1..70).chain([255, 256, 257, 1000, 4097]) {
            for key in 0..5 {
                let permutation = Permutation::new(size, key);
                let mut reached = vec![false; size as usize];
                for number in 0..size {
                    let image = permutation.forward(number);
                    assert!(!std::mem::replace(&mut reached[image as usize], true));
                    assert_eq!(permutation.backward(image), number);
                }
            }
        }
    }

    #[test]
    fn large_ranges_are_walked_back_too() {
        for size in [86_400_000, 1 << 40, (1 << 40) + 1] {
            let permutation = Permutation::new(size, 7);
            for number in (0..size).step_by((size / 1000) as usize) {
                let image = permutation.forward(number);
                assert!(image < size);
                assert_eq!(permutation.backward(image), number);
            }
        }
    }

    #[test]
    fn a_shuffle_leaves_few_numbers_in_place_and_depends_on_its_key() {
        let images =
            |key| (0..10_000).map(|n| Permutation::new(10_000, key).forward(n)).collect::<Vec<_>>();
        let fixed = images(1).iter().zip(0..).filter(|&(&image, number)| image == number).count();
        assert!(fixed < 10, "{fixed} of 10,000 stay in place");
        assert_ne!(images(1), images(2));
    }
}
