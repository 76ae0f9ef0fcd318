//! Filters by name and parameters, as given in URLs and on the command line.

use std::fmt;

use serde::Serialize;

use super::decimal;
use super::kernel::{Kernel, MAX_WEIGHT, gaussian_sum, gaussian_weights};
use super::layout::{Encoding, MAX_DIVISOR, MAX_HALO, bits_for};
use crate::error::{Code, Error, Result};

/// A filter with checked parameters. `Display` writes its canonical text.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// The mean of a rectangle, `2 rx + 1` wide and `2 ry + 1` high.
    Mean {
        /// Horizontal radius in pixels.
        rx: u16,
        /// Vertical radius in pixels.
        ry: u16,
    },
    /// A Gaussian with integer weights ([`gaussian_weights`]).
    Gaussian {
        /// Standard deviation in pixels.
        sigma: f64,
        /// Radius in pixels.
        radius: u16,
    },
    /// Five times the pixel minus its four neighbours.
    Sharpen,
    /// Sobel's derivative from left to right.
    SobelX,
    /// Sobel's derivative from top to bottom.
    SobelY,
    /// The four neighbours minus four times the pixel.
    Laplacian,
    /// A relief lit from the upper left.
    Emboss,
    /// Any integer kernel.
    Custom {
        /// The weights as given.
        rows: Vec<Vec<i64>>,
        /// The divisor of the sum.
        divisor: i64,
    },
    /// Adds a constant.
    Brightness {
        /// The constant added to every sample, from -255 to 255.
        offset: i64,
    },
    /// Mixes two images.
    Blend {
        /// The share of the first image in percent, from 0 to 100.
        share: i64,
    },
}

/// A filter's description for people and programs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FilterInfo {
    /// Its name in URLs and on the command line.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// The number of encrypted images it takes.
    pub inputs: usize,
    /// Its parameters.
    pub parameters: &'static [ParameterInfo],
}

/// The description of one parameter.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ParameterInfo {
    /// Its name.
    pub name: &'static str,
    /// Its meaning and allowed values.
    pub help: &'static str,
    /// The default value; `None` if it is required or another parameter replaces it.
    pub default: Option<&'static str>,
}

const RADIUS: ParameterInfo =
    ParameterInfo { name: "radius", help: "pixels to each side, 0 to 1024; 1 means 3x3", default: Some("1") };
const SIZE: ParameterInfo =
    ParameterInfo { name: "size", help: "WIDTHxHEIGHT in pixels, both odd, instead of a radius", default: None };
const SIGMA: ParameterInfo =
    ParameterInfo { name: "sigma", help: "standard deviation in pixels, 0.1 to 300", default: Some("1") };
const GAUSS_RADIUS: ParameterInfo =
    ParameterInfo { name: "radius", help: "pixels to each side, 1 to 1024; twice sigma if absent", default: None };
const WEIGHTS: ParameterInfo = ParameterInfo {
    name: "weights",
    help: "integers, rows separated by ';' and weights by ',', up to 15x15: 1,2,1;2,4,2;1,2,1. The centre is the \
           weight in column columns/2 and row rows/2, rounded down and counted from 0",
    default: None,
};
const DIVISOR: ParameterInfo =
    ParameterInfo { name: "divisor", help: "divisor of the sum, 1 to 1048576", default: Some("1") };
const OFFSET: ParameterInfo =
    ParameterInfo { name: "offset", help: "value added to every sample, -255 to 255", default: None };
const SHARE: ParameterInfo =
    ParameterInfo { name: "share", help: "share of the first image in percent, 0 to 100", default: Some("50") };

static CATALOGUE: [FilterInfo; 10] = [
    FilterInfo { name: "mean", summary: "mean of a rectangle (box blur)", inputs: 1, parameters: &[RADIUS, SIZE] },
    FilterInfo { name: "gaussian", summary: "Gaussian blur", inputs: 1, parameters: &[SIGMA, GAUSS_RADIUS] },
    FilterInfo { name: "sharpen", summary: "sharpen (3x3)", inputs: 1, parameters: &[] },
    FilterInfo { name: "sobel-x", summary: "edges, left to right (Sobel, signed)", inputs: 1, parameters: &[] },
    FilterInfo { name: "sobel-y", summary: "edges, top to bottom (Sobel, signed)", inputs: 1, parameters: &[] },
    FilterInfo {
        name: "laplacian",
        summary: "edges in all directions (Laplacian, signed)",
        inputs: 1,
        parameters: &[],
    },
    FilterInfo { name: "emboss", summary: "relief (3x3)", inputs: 1, parameters: &[] },
    FilterInfo { name: "kernel", summary: "your own integer kernel", inputs: 1, parameters: &[WEIGHTS, DIVISOR] },
    FilterInfo { name: "brightness", summary: "brighter or darker", inputs: 1, parameters: &[OFFSET] },
    FilterInfo { name: "blend", summary: "mix of two photos of the same size", inputs: 2, parameters: &[SHARE] },
];

impl Filter {
    /// All filters, in display order.
    #[must_use]
    pub fn catalogue() -> &'static [FilterInfo] {
        &CATALOGUE
    }

    /// Reads a filter from its name and parameters, all values as text.
    ///
    /// # Errors
    /// [`Code::UnknownFilter`] for the name; [`Code::BadFilter`] for a parameter that is unknown, repeated, missing or invalid.
    pub fn parse(name: &str, params: &[(String, String)]) -> Result<Self> {
        let Some(info) = CATALOGUE.iter().find(|info| info.name == name) else {
            let names: Vec<_> = CATALOGUE.iter().map(|info| info.name).collect();
            let shown: String = name.chars().take(40).collect();
            return Err(Error::new(
                Code::UnknownFilter,
                format!("there is no filter '{shown}'; choose one of {}", names.join(", ")),
            ));
        };
        let params = Params::new(info, params)?;
        match name {
            "mean" => Self::parse_mean(&params),
            "gaussian" => Self::parse_gaussian(&params),
            "sharpen" => Ok(Self::Sharpen),
            "sobel-x" => Ok(Self::SobelX),
            "sobel-y" => Ok(Self::SobelY),
            "laplacian" => Ok(Self::Laplacian),
            "emboss" => Ok(Self::Emboss),
            "kernel" => {
                let rows = parse_weights(params.required("weights")?)?;
                Kernel::new(rows.clone())?;
                Ok(Self::Custom { rows, divisor: params.integer("divisor", 1, 1, MAX_WEIGHT)? })
            }
            "brightness" => {
                params.required("offset")?;
                Ok(Self::Brightness { offset: params.integer("offset", 0, -255, 255)? })
            }
            _ => Ok(Self::Blend { share: params.integer("share", 50, 0, 100)? }),
        }
    }

    /// Reads a filter from its canonical text: its name and parameters, as in `mean size=3x3`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_text(text: &str) -> Result<Self> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let pair = |word: &str| {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| bad(format!("'{word}' is not a parameter; write it as in 'mean radius=2'")))?;
            Ok((name.to_owned(), value.to_owned()))
        };
        Self::parse(name, &words.map(pair).collect::<Result<Vec<_>>>()?)
    }

    fn parse_mean(params: &Params<'_>) -> Result<Self> {
        let Some(size) = params.get("size") else {
            let radius = params.radius(1, 0)?;
            return Ok(Self::Mean { rx: radius, ry: radius });
        };
        if params.get("radius").is_some() {
            return Err(bad("give either a radius or a size, not both"));
        }
        let side = |text: &str| text.parse::<u16>().ok().filter(|n| n % 2 == 1 && n / 2 <= MAX_HALO).map(|n| n / 2);
        match size.split_once('x').map(|(w, h)| (side(w), side(h))) {
            Some((Some(rx), Some(ry))) => Ok(Self::Mean { rx, ry }),
            _ => Err(bad("the size must be WIDTHxHEIGHT with two odd numbers from 1 to 2049, such as 3x5")),
        }
    }

    fn parse_gaussian(params: &Params<'_>) -> Result<Self> {
        let text = params.get("sigma").unwrap_or("1");
        let sigma = decimal::parse(text).filter(|s| (0.1..=300.0).contains(s));
        let sigma = sigma.ok_or_else(|| bad("sigma must be a number from 0.1 to 300"))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 600")]
        let reach = (2.0 * sigma).ceil() as u16;
        Ok(Self::Gaussian { sigma, radius: params.radius(reach, 1)? })
    }

    /// The number of encrypted images it takes.
    #[must_use]
    pub fn inputs(&self) -> usize {
        if matches!(self, Self::Blend { .. }) { 2 } else { 1 }
    }

    /// Its horizontal and vertical reach in pixels: the halo that an image must have.
    #[must_use]
    pub fn radius(&self) -> (u16, u16) {
        let radii = self.kernels().iter().map(Kernel::radius).collect::<Vec<_>>();
        radii.into_iter().fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    /// The slot width in bits that this filter needs for the samples of a photo.
    ///
    /// # Errors
    /// [`Code::SlotOverflow`] if no slot is wide enough.
    pub fn slot_bits(&self) -> Result<u8> {
        let encoding = self.apply(&vec![Encoding::SAMPLES; self.inputs()])?;
        Ok(bits_for(encoding.high + encoding.bias).max(8))
    }

    /// The kernels, one for each input image.
    #[must_use]
    pub fn kernels(&self) -> Vec<Kernel> {
        let full = |rows: [[i64; 3]; 3]| {
            let rows = rows.iter().map(|row| row.to_vec()).collect();
            Kernel::new(rows).unwrap_or_else(|_| Kernel::point(1))
        };
        let ones = |radius: u16| vec![1; 2 * usize::from(radius) + 1];
        match self {
            Self::Mean { rx, ry } => vec![Kernel::Separable { vertical: ones(*ry), horizontal: ones(*rx) }],
            Self::Gaussian { sigma, radius } => {
                let weights = gaussian_weights(*sigma, *radius);
                vec![Kernel::Separable { vertical: weights.clone(), horizontal: weights }]
            }
            Self::Sharpen => vec![full([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])],
            Self::SobelX => vec![full([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])],
            Self::SobelY => vec![full([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])],
            Self::Laplacian => vec![full([[0, 1, 0], [1, -4, 1], [0, 1, 0]])],
            Self::Emboss => vec![full([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])],
            Self::Custom { rows, .. } => vec![Kernel::new(rows.clone()).unwrap_or_else(|_| Kernel::point(1))],
            Self::Brightness { .. } => vec![Kernel::point(1)],
            Self::Blend { share } => vec![Kernel::point(*share), Kernel::point(100 - share)],
        }
    }

    /// The divisor of the weighted sum.
    #[must_use]
    pub fn divisor(&self) -> i64 {
        match self {
            Self::Mean { rx, ry } => (2 * i64::from(*rx) + 1) * (2 * i64::from(*ry) + 1),
            Self::Gaussian { radius, .. } => gaussian_sum(*radius) * gaussian_sum(*radius),
            Self::Custom { divisor, .. } => *divisor,
            Self::Blend { .. } => 100,
            _ => 1,
        }
    }

    /// The encoding of the result, for inputs with equal divisors. Its bias is the smallest that keeps all values from being
    /// negative.
    ///
    /// # Errors
    /// [`Code::SlotOverflow`] if the values exceed every slot width, or the divisor exceeds [`MAX_DIVISOR`].
    pub fn apply(&self, inputs: &[Encoding]) -> Result<Encoding> {
        let overflow = || Error::new(Code::SlotOverflow, "the filtered values are too large for any slot");
        let narrow = |wide: i128| i64::try_from(wide).ok().filter(|v| v.abs() < 1 << 60).ok_or_else(overflow);
        let divisor_in = inputs.first().map_or(1, |input| input.divisor);
        let divisor = narrow(i128::from(divisor_in) * i128::from(self.divisor()))?;
        if divisor > MAX_DIVISOR {
            return Err(Error::new(
                Code::SlotOverflow,
                format!("the product of all filters' divisors is {divisor}, more than {MAX_DIVISOR}"),
            ));
        }
        let offset = if let Self::Brightness { offset } = self { i128::from(*offset) * i128::from(divisor) } else { 0 };
        let (mut low, mut high) = (offset, offset);
        for (kernel, input) in self.kernels().iter().zip(inputs) {
            let (plus, minus) = kernel.sums();
            let (plus, minus) = (i128::from(plus), i128::from(minus));
            low += plus * i128::from(input.low) - minus * i128::from(input.high);
            high += plus * i128::from(input.high) - minus * i128::from(input.low);
        }
        let (low, high) = (narrow(low)?, narrow(high)?);
        Ok(Encoding { low, high, bias: (-low).max(0), divisor })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean { rx, ry } => write!(f, "mean size={}x{}", 2 * u32::from(*rx) + 1, 2 * u32::from(*ry) + 1),
            Self::Gaussian { sigma, radius } => write!(f, "gaussian sigma={} radius={radius}", decimal::text(*sigma)),
            Self::Sharpen => f.write_str("sharpen"),
            Self::SobelX => f.write_str("sobel-x"),
            Self::SobelY => f.write_str("sobel-y"),
            Self::Laplacian => f.write_str("laplacian"),
            Self::Emboss => f.write_str("emboss"),
            Self::Custom { rows, divisor } => {
                let row = |row: &Vec<i64>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                let weights = rows.iter().map(row).collect::<Vec<_>>().join(";");
                write!(f, "kernel weights={weights} divisor={divisor}")
            }
            Self::Brightness { offset } => write!(f, "brightness offset={offset}"),
            Self::Blend { share } => write!(f, "blend share={share}"),
        }
    }
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(Code::BadFilter, message)
}

fn parse_weights(text: &str) -> Result<Vec<Vec<i64>>> {
    let weight = |text: &str| {
        text.trim().parse::<i64>().map_err(|_| {
            let shown: String = text.trim().chars().take(20).collect();
            bad(format!("'{shown}' is not an integer weight; write rows such as 1,2,1;2,4,2;1,2,1"))
        })
    };
    text.split(';').map(|row| row.split(',').map(weight).collect()).collect()
}

/// Parameters whose names have been checked against the catalogue.
struct Params<'a>(&'a [(String, String)]);

impl<'a> Params<'a> {
    fn new(info: &FilterInfo, params: &'a [(String, String)]) -> Result<Self> {
        for (position, (name, _)) in params.iter().enumerate() {
            if !info.parameters.iter().any(|known| known.name == name) {
                let known: Vec<_> = info.parameters.iter().map(|p| p.name).collect();
                let takes = if known.is_empty() { "no parameters".into() } else { known.join(", ") };
                let shown: String = name.chars().take(40).collect();
                return Err(bad(format!("filter {} does not take '{shown}'; it takes {takes}", info.name)));
            }
            if params[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(bad(format!("the parameter {name} is given twice")));
            }
        }
        Ok(Self(params))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str) -> Result<&'a str> {
        self.get(name).ok_or_else(|| bad(format!("the parameter {name} is missing")))
    }

    fn integer(&self, name: &str, default: i64, low: i64, high: i64) -> Result<i64> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse::<i64>().ok().filter(|n| (low..=high).contains(n));
        number.ok_or_else(|| bad(format!("{name} must be an integer from {low} to {high}")))
    }

    fn radius(&self, default: u16, low: u16) -> Result<u16> {
        let radius = self.integer("radius", default.into(), low.into(), MAX_HALO.into())?;
        u16::try_from(radius).map_err(|_| bad("the radius is too large"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Filter> {
        Filter::from_text(text)
    }

    #[test]
    fn canonical_texts_parse_to_the_same_filter() {
        for text in [
            "mean size=3x5",
            "gaussian sigma=1.5 radius=3",
            "sharpen",
            "sobel-x",
            "sobel-y",
            "laplacian",
            "emboss",
            "kernel weights=1,-2;3,4 divisor=7",
            "brightness offset=-40",
            "blend share=30",
        ] {
            let filter = parse(text).expect(text);
            assert_eq!(filter.to_string(), text);
            assert_eq!(parse(&filter.to_string()).expect(text), filter);
        }
    }

    #[test]
    fn bad_parameters_are_refused() {
        for text in [
            "mean radius=1 size=3x3",
            "mean size=2x3",
            "mean size=99999x3",
            "mean radius=-1",
            "mean radius=1 radius=1",
            "mean sigma=1",
            "gaussian sigma=nan",
            "gaussian sigma=0",
            "gaussian sigma=1e9",
            "kernel",
            "kernel weights=a",
            "kernel weights=1 divisor=0",
            "brightness",
            "brightness offset=256",
            "blend share=101",
        ] {
            assert_eq!(parse(text).expect_err(text).kind(), Code::BadFilter, "{text}");
        }
        assert_eq!(parse("blur").expect_err("unknown").kind(), Code::UnknownFilter);
    }

    #[test]
    fn slots_are_as_narrow_as_the_filter_allows() {
        for (text, bits) in [
            ("mean radius=1", 12),
            ("sobel-x", 11),
            ("sharpen", 12),
            ("gaussian sigma=1", 16),
            ("brightness offset=-3", 8),
        ] {
            assert_eq!(parse(text).expect(text).slot_bits().expect(text), bits, "{text}");
        }
    }
}
