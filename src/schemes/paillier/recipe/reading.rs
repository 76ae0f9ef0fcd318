//! Reads a history.

use crate::error::{Code, Error, Result};
use crate::schemes::paillier::layout::MAX_PHOTOS;
use crate::schemes::paillier::{Encoding, Filter, ImageHead, Origin};

/// The filters applied to a photo, one after another.
#[derive(Debug, PartialEq)]
pub(crate) struct Recipe {
    pub(crate) origin: Origin,
    pub(crate) steps: Vec<Step>,
}

/// The filters that the owner of a photo expects, to compare with an image's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation(String);

impl Expectation {
    /// Makes an expectation of filters in the order of application, each in the form `gaussian sigma=2`. After a filter of two
    /// images, those of the second image may follow in brackets: `blend share=30 [sharpen]`. No filters, or an empty string,
    /// mean that nothing was applied.
    ///
    /// # Errors
    /// [`Code::BadFilter`] and [`Code::UnknownFilter`] if this is not a list of filters.
    pub fn new(filters: &[impl AsRef<str>]) -> Result<Self> {
        let texts: Vec<&str> =
            filters.iter().map(|text| text.as_ref().trim()).filter(|text| !text.is_empty()).collect();
        let text = texts.join("; ");
        let Some(recipe) = Recipe::parse(&text, &mut std::iter::repeat(Origin::UNKNOWN), 0) else {
            // For a single filter, its own error message is better.
            texts
                .iter()
                .filter(|text| !text.contains(['[', ']']))
                .try_for_each(|text| Filter::from_text(text).map(drop))?;
            let message = format!("'{text}' is not a list of filters; write them as in 'mean radius=2; sharpen'");
            return Err(Error::new(Code::BadFilter, message));
        };
        Ok(Self(recipe.history()))
    }

    /// Compares the expectation with a header.
    pub(crate) fn check(&self, head: &ImageHead) -> Result<()> {
        if self.0 == head.history {
            return Ok(());
        }
        let [wanted, said] = [&self.0, &head.history].map(|text| if text.is_empty() { "no filter" } else { text });
        let message =
            format!("this is not the result of the expected filters: {said}, not {wanted}; do not rely on it");
        Err(Error::new(Code::WrongResult, message))
    }
}

/// One filter.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) filter: Filter,
    /// For a filter of two images, how the second one was made.
    pub(crate) second: Option<Recipe>,
}

impl Recipe {
    /// Reads the recipe from a head.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if this program does not know the filters of the history, or their number of photos differs.
    pub(crate) fn of(head: &ImageHead) -> Result<Self> {
        let mut origins = head.origins.iter().copied();
        let recipe = Self::parse(&head.history, &mut origins, 0).ok_or_else(unknown)?;
        if origins.next().is_some() { Err(unknown()) } else { Ok(recipe) }
    }

    /// The encoding of the slots after all filters.
    ///
    /// # Errors
    /// [`Code::SlotOverflow`] if they are too large for any slot.
    pub(crate) fn encoding(&self) -> Result<Encoding> {
        self.steps.iter().try_fold(Encoding::SAMPLES, |encoding, step| {
            let second = step.second.as_ref().map(Self::encoding).transpose()?;
            step.filter.apply(&[encoding].into_iter().chain(second).collect::<Vec<_>>())
        })
    }

    /// The history of this recipe, in canonical form.
    fn history(&self) -> String {
        self.steps.iter().fold(String::new(), |before, step| {
            let second = step.second.as_ref().map(Self::history);
            let inputs: Vec<&str> = [before.as_str()].into_iter().chain(second.as_deref()).collect();
            super::history(&step.filter, &inputs)
        })
    }

    /// Reads a history. Each photo in it takes the next origin.
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

/// The steps of a history: its parts between every "; " that is not in brackets.
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
        "the image's history has filters unknown to this program, so it cannot verify what the server did; decrypt \
         without the check, or with a newer program",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes::paillier::recipe::history;

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
    fn expectations_are_compared_in_canonical_form() {
        let expect = |filters: &[&str]| Expectation::new(filters).map(|expectation| expectation.0);
        for (filters, history) in [
            (&[][..], ""),
            (&[""], ""),
            (&["mean"], "mean size=3x3"),
            (&["gaussian  sigma=2.0"], "gaussian sigma=2 radius=4"),
            (&["mean radius=1", "sobel-x"], "mean size=3x3; sobel-x"),
            (&["mean; sobel-x"], "mean size=3x3; sobel-x"),
            (
                &["sharpen", "blend [mean; blend share=1 [emboss]]"],
                "sharpen; blend share=50 [mean size=3x3; blend share=1 [emboss]]",
            ),
        ] {
            assert_eq!(expect(filters).expect("filters"), history);
        }
        for (filter, code) in [
            ("blur", Code::UnknownFilter),
            ("mean size=2x2", Code::BadFilter),
            ("mean [sharpen]", Code::BadFilter),
            ("blend [blur]", Code::BadFilter),
        ] {
            assert_eq!(expect(&["mean", filter]).expect_err(filter).kind(), code, "{filter}");
        }
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
