//! The bodies for files of CKKS. All are read for the smallest parameters.

use std::sync::{Arc, LazyLock};

use safelight::error::Code;
use safelight::schemes::ckks::parameters::{Parameters, SMALL};
use safelight::schemes::ckks::ring::{Ring, primes};
use safelight::schemes::ckks::wire::{
    Checker, SetHead, SwitchHead, VectorHead, read_ciphertext, read_plaintext, read_public, read_secret, read_set,
    read_switch, write_ciphertext, write_plaintext, write_public, write_secret, write_set, write_switch,
};
use safelight::wire::{Kind, Prologue};

static RING: LazyLock<Arc<Ring>> = LazyLock::new(|| Ring::new(&SMALL).expect("a ring"));

/// An encrypted vector.
pub fn ciphertext(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        let Ok(ciphertext) = read_ciphertext(&RING, &data) else { continue };
        let head = VectorHead::of_ciphertext(&data).expect("it was read");
        assert_eq!(head.total_bytes(), data.len() as u64);
        let file = write_ciphertext(&RING, &ciphertext).expect("it can be written");
        assert!(head.seed.is_some() || file == data);
        assert_eq!(read_ciphertext(&RING, &file).expect("its own file").parts(), ciphertext.parts());
    }
}

/// An encoded vector.
pub fn plaintext(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        if let Ok(plaintext) = read_plaintext(&RING, &data) {
            assert!(write_plaintext(&RING, &plaintext).expect("it can be written") == data);
        }
    }
}

/// A public key.
pub fn public_key(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        if let Ok(key) = read_public(&RING, &data) {
            assert!(write_public(&RING, &key).expect("it can be written") == data);
        }
    }
}

/// A switch key.
pub fn switch_key(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        if let Ok((head, key)) = read_switch(&RING, &data) {
            assert!(write_switch(&RING, head.key, head.entry.purpose, &key).expect("it can be written") == data);
        }
    }
}

/// A set of evaluation keys, by both of its readers.
pub fn evaluation_keys(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        let whole = read_set(&RING, &data);
        let piece = usize::from(data.last().copied().unwrap_or(0)) * 40 + 1;
        let mut checker = Checker::new(data.len() as u64);
        let pieces = data.chunks(piece).try_for_each(|piece| checker.push(piece)).and_then(|()| checker.finish());
        match (&whole, &pieces) {
            (Ok(keys), Ok(head)) => {
                assert_eq!(keys.id(), head.key());
                assert!(write_set(&RING, keys).expect("it can be written") == data);
            }
            // The checker takes every parameter set.
            (Err(error), Ok(_)) => assert_eq!(error.kind(), Code::WrongParameters),
            (Ok(_), Err(error)) => panic!("{error}"),
            (Err(_), Err(_)) => {}
        }
    }
}

/// A secret key.
pub fn secret_key(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        if let Ok(key) = read_secret(&RING, &data) {
            assert_eq!(*write_secret(&RING, &key), data);
        }
    }
}

/// The same with right checksums.
fn repaired(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    repair(&mut data);
    data
}

fn repair(data: &mut [u8]) {
    let Ok(prologue) = Prologue::parse(data) else { return };
    let header = prologue.total_bytes();
    if data.len() < header {
        return;
    }
    let crc = crc32fast::hash(&data[..header - 4]).to_le_bytes();
    data[header - 4..header].copy_from_slice(&crc);
    let limbs = match prologue.kind {
        Kind::CkksCiphertext => {
            VectorHead::of_ciphertext(data).ok().map(|head| lengths(head.parameters, head.level, 0))
        }
        Kind::CkksPlaintext => VectorHead::of_plaintext(data).ok().map(|head| lengths(head.parameters, head.level, 0)),
        Kind::CkksPublicKey => Some(lengths(&SMALL, SMALL.levels, 0)),
        Kind::CkksSwitchKey => {
            SwitchHead::read(data).ok().map(|head| lengths(head.parameters, head.entry.level, head.entry.special))
        }
        Kind::CkksEvaluationKeys => {
            let Ok(ranges) = SetHead::read(data).and_then(|head| head.ranges()) else { return };
            for range in ranges {
                let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                if let Some(key) = range.and_then(|(start, end)| data.get_mut(start..end)) {
                    repair(key);
                }
            }
            None
        }
        _ => None,
    };
    let Some(lengths) = limbs else { return };
    let mut rest = &mut data[header..];
    for (number, length) in (0u32..).zip(lengths.into_iter().cycle()) {
        let Some((limb, after)) = rest.split_at_mut_checked(length) else { return };
        let (residues, sum) = limb.split_at_mut(length - 4);
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&crc);
        hasher.update(&number.to_le_bytes());
        hasher.update(residues);
        sum.copy_from_slice(&hasher.finalize().to_le_bytes());
        rest = after;
    }
}

/// The lengths of a polynomial's limbs in bytes.
fn lengths(parameters: &Parameters, level: usize, special: usize) -> Vec<usize> {
    let places = parameters.special - special..parameters.special + level + 1;
    let primes = primes(parameters).expect("primes");
    let bits = places.map(|place| (u64::BITS - primes[place].value().leading_zeros()) as usize);
    bits.map(|bits| parameters.degree() / 8 * bits + 4).collect()
}
