//! Kernels whose algorithm is generic over vectors.

/// Implements [`Kernel`](super::Kernel) for `$kernel`, with the algorithm of the parent module and the vector `$vector`.
///
/// The algorithm is generic over the room for digits. It is compiled for each of the listed sizes, where all loops have a known
/// length, and once with room for any number of digits. `#[$way]` is the attribute of the functions that the compiler must not
/// inline into code that may not use the vector's instructions.
///
/// Code that creates a value of `$kernel` has checked that the processor has these instructions.
macro_rules! vector_kernel {
    ($kernel:ident, $name:literal, $vector:ident, #[$way:meta], $sizes:tt) => {
        impl $crate::math::pair::Kernel for $kernel {
            fn name(&self) -> &'static str {
                $name
            }

            fn digit_bits(&self) -> u32 {
                super::BITS
            }

            fn lanes(&self) -> usize {
                <$vector as super::Vector>::LANES
            }

            // For each function: how many halves it writes, and how many it reads of each argument.
            vector_kernel!(@function mul, 2, 2, (a, b), $vector, #[$way], $sizes);
            vector_kernel!(@function square, 2, 2, (a), $vector, #[$way], $sizes);
            vector_kernel!(@function mul_low, 1, 1, (a, b), $vector, #[$way], $sizes);
            vector_kernel!(@function reduce, 2, 1, (a), $vector, #[$way], $sizes);
        }
    };
    (
        @function $function:ident, $out:literal, $in:literal, ($($argument:ident),*),
        $vector:ident, #[$way:meta], $sizes:tt
    ) => {
        fn $function(&self, modulus: &$crate::math::pair::Constants, out: &mut [u64], $($argument: &[u64]),*) {
            #[$way]
            unsafe fn run<const K: usize>(k: usize, modulus: &$crate::math::pair::Constants, out: &mut [u64], $($argument: &[u64]),*) {
                // SAFETY: upheld by the caller.
                unsafe { super::$function::<$vector, K>(k, modulus, out, $($argument),*) }
            }
            modulus.check_lengths($out * self.lanes(), [out.len()]);
            modulus.check_lengths($in * self.lanes(), [$($argument.len()),*]);
            // SAFETY: the kernel exists only if the processor has the instructions; the lengths are checked.
            unsafe { vector_kernel!(@by_size modulus, $sizes, (modulus, out, $($argument),*)) }
        }
    };
    (@by_size $modulus:ident, [$($size:literal),*], $arguments:tt) => {
        match $modulus.digits.len() {
            $($size => vector_kernel!(@run $size, $size, $arguments),)*
            other => vector_kernel!(@run other, { super::MAX }, $arguments),
        }
    };
    (@run $k:expr, $room:tt, ($($argument:ident),*)) => {
        run::<$room>($k, $($argument),*)
    };
}
