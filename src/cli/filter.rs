//! `safelight filter`: a filter on an encrypted image, here or on a server. Needs no key.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Cursor, Read};

use clap::Args;

use super::files::{Care, Sink, Source, read_header};
use super::remote::{Address, Input, Masked, Server, WayFlags};
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::remote;
use crate::schemes::paillier::circuit::output_head;
use crate::schemes::paillier::stream;
use crate::schemes::paillier::wire::image::Frames;
use crate::schemes::paillier::{Filter, ImageHead};

/// Filter an encrypted image, here or on a server
#[derive(Args)]
#[command(after_help = help())]
pub(super) struct Flags {
    /// Name of the filter (see the list below)
    #[arg(value_name = "FILTER")]
    name: String,
    /// The encrypted image, or -; two for blend
    #[arg(value_name = "IN.slt", required = true, num_args = 1..=2)]
    images: Vec<OsString>,
    /// The encrypted image to write, or -
    #[arg(long, value_name = "OUT.slt")]
    out: OsString,
    /// Filter on this server
    #[arg(long, value_name = "URL", value_parser = Masked(Address::parse))]
    server: Option<Address>,
    #[command(flatten)]
    way: WayFlags,
    /// mean, gaussian: pixels to each side; 1 means 3x3
    #[arg(long, value_name = "N")]
    radius: Option<String>,
    /// mean: width and height in pixels, both odd
    #[arg(long, value_name = "WxH")]
    size: Option<String>,
    /// gaussian: standard deviation in pixels
    #[arg(long, value_name = "S")]
    sigma: Option<String>,
    /// kernel: integer weights, not mirrored, rows separated by ';'; see below for even sizes
    #[arg(long, value_name = "WEIGHTS", allow_hyphen_values = true)]
    kernel: Option<String>,
    /// kernel: divide the sum by N
    #[arg(long, value_name = "N")]
    divisor: Option<String>,
    /// brightness: add N to every sample, -255 to 255
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    offset: Option<String>,
    /// blend: share of the first image in percent
    #[arg(long, value_name = "PERCENT")]
    share: Option<String>,
}

fn help() -> String {
    let mut text = String::from(
        "\
Examples:
  safelight filter mean --radius 1 photo.slt --out blurred.slt
  safelight filter gaussian --sigma 2 photo.slt --out soft.slt --server https://photos.example
  safelight filter kernel --kernel '1,2,1;2,4,2;1,2,1' --divisor 16 photo.slt --out soft.slt
  safelight encrypt --key my.key one.png --out one.slt --for 'blend share=30'    # two.png, too
  safelight filter blend --share 30 one.slt two.slt --out both.slt

Filters:
",
    );
    for info in Filter::catalogue() {
        let flags: Vec<String> =
            info.parameters.iter().map(|parameter| format!("--{}", flag(parameter.name))).collect();
        // Writing to a string cannot fail.
        let _ = write!(text, "  {:<11} {}", info.name, info.summary);
        if !flags.is_empty() {
            let _ = write!(text, "; {}", flags.join(", "));
        }
        text.push('\n');
    }
    text.push_str(
        "\n\
The centre of a kernel is its weight in column columns/2 and row rows/2, rounded down and
counted from 0, as in OpenCV and SciPy: --kernel 1,0 takes the left neighbour.
",
    );
    text.push_str("\nThe photo must have been encrypted with room for the filter (see safelight encrypt --help).");
    text
}

fn count(images: usize) -> String {
    if images == 1 { "one encrypted image".into() } else { format!("{images} encrypted images") }
}

/// The flag for a parameter. Only the flag for `weights` has a different name.
fn flag(parameter: &str) -> &str {
    if parameter == "weights" { "kernel" } else { parameter }
}

/// The checked flags.
struct Job {
    filter: Filter,
    name: String,
    parameters: Vec<(String, String)>,
    images: Vec<Source>,
    out: OsString,
    server: Option<Server>,
}

impl Flags {
    fn check(self) -> Result<Job> {
        let parameters: Vec<(String, String)> = [
            ("radius", self.radius),
            ("size", self.size),
            ("sigma", self.sigma),
            ("weights", self.kernel),
            ("divisor", self.divisor),
            ("offset", self.offset),
            ("share", self.share),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
        if self.name == "kernel" && !parameters.iter().any(|(name, _)| name == "weights") {
            return Err(Error::new(Code::BadFilter, "the weights are missing; give them as in --kernel '1,2,1'"));
        }
        let filter = Filter::parse(&self.name, &parameters)?;
        let images: Vec<Source> = self.images.into_iter().map(Source::from).collect();
        if images.len() != filter.inputs() {
            return Err(Error::new(
                Code::BadArgument,
                format!("filter {} takes {}; {} given", self.name, count(filter.inputs()), images.len()),
            ));
        }
        Source::check_one_stdin(&images.iter().collect::<Vec<_>>())?;
        let server = self.server.map(|address| Server::new(&address, &self.way)).transpose()?;
        Ok(Job { filter, name: self.name, parameters, images, out: self.out, server })
    }
}

/// Reads a filter from a text such as `mean radius=2`, the notation of an image's history.
#[cfg(feature = "client")]
pub(super) fn from_text(text: &str) -> Result<Filter> {
    Filter::from_text(&in_the_formats_words(text)).map_err(|error| {
        let message = error.message().replace("parameter weights", "parameter kernel");
        Error::new(error.kind(), message)
    })
}

/// Converts filters to the notation of the file format. On the command line, `weights` is named after its flag,
/// `kernel`.
#[cfg(feature = "client")]
pub(super) fn in_the_formats_words(text: &str) -> String {
    text.replace(" kernel=", " weights=")
}

pub(super) fn run(flags: Flags, ui: &Ui) -> Result<()> {
    let job = flags.check()?;
    let inputs = job.images.iter().map(Source::open).collect::<Result<Vec<_>>>()?;
    ui.catch_interrupts();
    let mut sink = Sink::create(&job.out, Care::Binary)?;
    match &job.server {
        None => filter_here(&job, inputs, &mut sink, ui)?,
        Some(server) => filter_there(&job, server, inputs, &mut sink, ui)?,
    }
    sink.finish()?;
    ui.summary(&format!("filtered: {}", job.filter));
    Ok(())
}

fn filter_here(job: &Job, inputs: Vec<Box<dyn Read + Send>>, sink: &mut Sink, ui: &Ui) -> Result<()> {
    let bar = ui.bar("filtering", Unit::Rows);
    let mut input = chain(inputs);
    stream::run_filter(&mut *input, sink, &job.filter, &stream::Limits::OWN_FILES, &bar)?;
    bar.clear();
    Ok(())
}

fn filter_there(job: &Job, server: &Server, inputs: Vec<Box<dyn Read + Send>>, sink: &mut Sink, ui: &Ui) -> Result<()> {
    let mut heads = Vec::new();
    let mut parts: Vec<Box<dyn Read + Send>> = Vec::new();
    let mut length = 0;
    for (source, mut input) in job.images.iter().zip(inputs) {
        let (_, header) = read_header(&mut *input)?;
        let frames = Frames::read(&header)?;
        let rest = frames.total_bytes() - header.len() as u64;
        check_length(source, frames.total_bytes())?;
        length += frames.total_bytes();
        heads.push(frames.head);
        parts.push(Box::new(Cursor::new(header)));
        parts.push(Box::new(Exactly { input, left: rest }));
    }
    // If the image has no room for the filter, fail before anything is sent.
    let expected = output_head(&job.filter, &heads)?;
    let (_, answer) = Frames::write(expected.clone());
    // Longer than expected, to distinguish a wrong answer from an endless one.
    let longest = answer.total_bytes() + u64::from(crate::wire::MAX_HEADER);
    let conversation = remote::filter(&job.name, &job.parameters, length, longest);
    server.run(conversation, Input::Stream(Some(chain(parts))), sink, ui)?;
    check_answer(sink, &expected, ui)
}

/// Checks that the server's answer is an intact image with the header that this filter gives for this input.
fn check_answer(sink: &mut Sink, expected: &ImageHead, ui: &Ui) -> Result<()> {
    let Some(file) = sink.reread()? else { return Ok(()) };
    let bar = ui.bar("checking", Unit::Rows);
    let frames = stream::check_image(file, &stream::Limits::OWN_FILES, &bar)
        .map_err(|error| Error::new(error.kind(), format!("in the server's answer: {}", error.message())))?;
    bar.clear();
    let head = frames.head;
    if head == *expected {
        return Ok(());
    }
    Err(Error::new(Code::BadAnswer, "the server's answer is not the result of this filter; use another server"))
}

fn check_length(source: &Source, promised: u64) -> Result<()> {
    match source.length() {
        Some(length) if length < promised => {
            Err(Error::new(Code::Truncated, format!("{source} is cut short; copy the whole file again")))
        }
        Some(length) if length > promised => {
            Err(Error::new(Code::TrailingData, format!("{source} has extra data after the encrypted image")))
        }
        _ => Ok(()),
    }
}

fn chain(parts: Vec<Box<dyn Read + Send>>) -> Box<dyn Read + Send> {
    parts.into_iter().fold(Box::new(std::io::empty()), |all, part| Box::new(all.chain(part)))
}

/// A reader that must end after exactly `left` bytes.
struct Exactly {
    input: Box<dyn Read + Send>,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.input.read(&mut buffer[..most])?;
        if count == 0 && most > 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        // Check now, because a caller that knows the length does not read any further.
        if self.left == 0 && count > 0 && self.input.read(&mut [0])? > 0 {
            return Err(Error::new(Code::TrailingData, "the input has extra data after the encrypted image").into());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "client")]
    #[test]
    fn texts_become_filters() {
        for text in ["mean radius=2", " gaussian  sigma=2 radius=3", "sharpen", "kernel kernel=1,2;3,4 divisor=5"] {
            assert!(from_text(text).is_ok(), "{text}");
        }
        assert_eq!(from_text("mean 2").expect_err("bad").kind(), Code::BadFilter);
        assert_eq!(from_text("").expect_err("bad").kind(), Code::UnknownFilter);
    }

    #[test]
    fn every_parameter_has_a_flag() {
        use clap::CommandFactory as _;
        let command = crate::cli::Cli::command();
        let filter = command.find_subcommand("filter").expect("command");
        for parameter in Filter::catalogue().iter().flat_map(|info| info.parameters) {
            assert!(
                filter.get_arguments().any(|arg| arg.get_long() == Some(flag(parameter.name))),
                "{}",
                parameter.name
            );
        }
    }

    #[test]
    fn an_input_must_be_exactly_as_long_as_promised() {
        let read = |left, bytes: &'static [u8]| {
            let mut out = Vec::new();
            Exactly { input: Box::new(bytes), left }.read_to_end(&mut out).map_err(|e| Error::from(e).kind())
        };
        assert_eq!(read(3, b"abc"), Ok(3));
        assert_eq!(read(4, b"abc"), Err(Code::Truncated));
        assert_eq!(read(2, b"abc"), Err(Code::TrailingData));
    }
}
