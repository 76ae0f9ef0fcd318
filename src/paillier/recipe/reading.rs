//! A history read back.

use crate::error::{Code, Error, Result};
use crate::paillier::layout::MAX_PHOTOS;
use crate::paillier::{Filter, ImageHead, Origin};

/// The filters applied to a photo, one after another.
#[derive(Debug, PartialEq)]
pub(crate) struct Recipe {
    pub(crate) origin: Origin,
    pub(crate) steps: Vec<Step>,
}

/// One filter.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) filter: Filter,
    /// For a filter of two images, how the second one was made.
    pub(crate) second: Option<Recipe>,
}

impl Recipe {
    /// Reads it from a head.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if the history is not one of filters that this program knows, or does not fit the number of
    /// photos.
    pub(crate) fn of(head: &ImageHead) -> Result<Self> {
        let mut origins = head.origins.iter().copied();
        let recipe = Self::parse(&head.history, &mut origins, 0).ok_or_else(unknown)?;
        if origins.next().is_some() { Err(unknown()) } else { Ok(recipe) }
    }

    /// Reads a history; each photo in it takes the next origin.
    fn parse(history: &str, origins: &mut impl Iterator<Item = Origin>, depth: usize) -> Option<Self> {
        let origin = origins.next()?;
        let mut steps = Vec::new();
        for text in steps_of(history).filter(|_| depth < MAX_PHOTOS) {
            let (filter, second) = match text.strip_suffix(']') {
                Some(text) => text.split_once(" [")?,
                None => (text, ""),
            };
            let filter = Filter::from_text(filter).ok()?;
            let second = match filter.inputs() {
                2 => Some(Self::parse(second, origins, depth + 1)?),
                _ if second.is_empty() => None,
                _ => return None,
            };
            steps.push(Step { filter, second });
        }
        Some(Self { origin, steps })
    }
}

/// The steps of a history: its parts between those "; " that are not in brackets.
fn steps_of(history: &str) -> impl Iterator<Item = &str> {
    let mut rest = history;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut depth = 0i32;
        let end = rest.char_indices().find(|&(at, letter)| {
            depth += i32::from(letter == '[') - i32::from(letter == ']');
            depth == 0 && rest[at..].starts_with("; ")
        });
        let (step, after) = end.map_or((rest, ""), |(at, _)| (&rest[..at], &rest[at + 2..]));
        rest = after;
        Some(step)
    })
}

fn unknown() -> Error {
    Error::new(
        Code::BadHeader,
        "the image's history is not one of filters that this program knows, so it cannot check what the server did; \
         decrypt without the check, or with a newer program",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paillier::recipe::history;

    fn parse(history: &str, photos: u8) -> Option<Recipe> {
        let mut origins = (1..=photos).map(|number| Origin([number; 32]));
        let recipe = Recipe::parse(history, &mut origins, 0)?;
        origins.next().is_none().then_some(recipe)
    }

    #[test]
    fn histories_are_read() {
        assert_eq!(parse("", 1).expect("none").steps, []);
        let recipe = parse("mean size=3x3; kernel weights=1,2;3,4 divisor=5; brightness offset=-3", 1).expect("three");
        let texts: Vec<_> = recipe.steps.iter().map(|step| step.filter.to_string()).collect();
        assert_eq!(texts, ["mean size=3x3", "kernel weights=1,2;3,4 divisor=5", "brightness offset=-3"]);
    }

    #[test]
    fn blends_have_two_histories() {
        let recipe =
            parse("sharpen; blend share=30 [mean size=1x3; blend share=1 [emboss]]; blend share=5", 4).expect("four");
        let second = recipe.steps[1].second.as_ref().expect("two");
        assert_eq!(second.origin, Origin([2; 32]));
        assert_eq!(second.steps[1].second.as_ref().expect("two").origin, Origin([3; 32]));
        assert_eq!(recipe.steps[2].second.as_ref().expect("two").origin, Origin([4; 32]));
        let blend = Filter::from_text("blend share=30").expect("blend");
        assert_eq!(history(&blend, &["sharpen", "a; b"]), "sharpen; blend share=30 [a; b]");
        assert_eq!(history(&blend, &["", ""]), "blend share=30");
    }

    #[test]
    fn what_is_no_history_is_refused() {
        for (history, photos) in [
            ("mean", 2),
            ("blend share=1", 1),
            ("mean size=3x3 [sharpen]", 1),
            ("blur", 1),
            ("mean size=3x3;sharpen", 1),
            ("blend share=1 [", 2),
            ("blend share=1 ]", 2),
            ("; ", 1),
        ] {
            assert_eq!(parse(history, photos), None, "{history}");
        }
        let deep = "blend share=1 [".repeat(500) + &"]".repeat(500);
        assert_eq!(parse(&deep, 200), None);
    }
}
