//! Models and networks in memory: those of clients, each with an unguessable id until it expires, and the operator's, which are
//! public.
//!
//! Only those who know a client's id, a [capability](super::capability), can use, fetch and delete the model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::capability::Id;
use super::rings;
use super::shelf::{self, Shelf, Shelved, Words};
use crate::error::{Code, Error, Result};
use crate::learn::Model;
use crate::network::{Circuit, Network};
use crate::server::client::Client;
use crate::server::config::Limits;
use crate::server::shares::{Share, Shares};
use crate::watch::{NoWatch, Watch};
use crate::wire::{Kind, Prologue, Size};

pub(in crate::server) mod description;

/// The extension of the operator's models.
const ENDING: &str = "model";

/// The longest header of a model's or a network's file, in bytes.
pub(in crate::server) const LONGEST_HEADER: usize = 16 << 10;

/// A model or a network, which an id names.
pub(in crate::server) enum LoadedModel {
    /// A model for pictures that the server sees, scrambled or not.
    Open(Box<Model>),
    /// A network for encrypted pictures.
    Network(Box<Ready>),
}

/// A network, ready for work.
pub(in crate::server) struct Ready {
    pub(in crate::server) network: Network,
    pub(in crate::server) circuit: Circuit,
}

impl LoadedModel {
    /// Reads the file of a model or a network.
    pub(in crate::server) fn read(bytes: &[u8], watch: &dyn Watch) -> Result<Self> {
        if Prologue::parse(bytes)?.kind != Kind::Network {
            return crate::learn::wire::read(bytes, watch).map(|model| Self::Open(Box::new(model)));
        }
        let network = crate::network::wire::read(bytes)?;
        let (ring, encoder) = rings::shared(network.spec().parameters())?;
        let circuit = Circuit::new(ring, encoder, &network)?;
        Ok(Self::Network(Box::new(Ready { network, circuit })))
    }

    /// Its approximate memory in bytes.
    pub(in crate::server) fn memory(&self) -> u64 {
        match self {
            Self::Open(model) => model.memory(),
            Self::Network(ready) => {
                let weights: usize = ready.network.weights().iter().map(|layer| 4 * layer.weights.len()).sum();
                (weights + ready.circuit.memory()) as u64
            }
        }
    }
}

/// The size of a model or network, from the first bytes of its file; `None` if they do not contain its header.
pub(in crate::server) fn size(head: &[u8]) -> Result<Option<Size>> {
    let (size, longest) = match Prologue::parse(head)?.kind {
        Kind::Network => (crate::network::wire::size(head)?, crate::network::wire::LONGEST),
        _ => (crate::learn::wire::size(head)?, crate::learn::wire::LONGEST),
    };
    match size {
        Some(size) if size.bytes > longest => {
            Err(Error::new(Code::TooLarge, format!("the file is longer than {longest} bytes")))
        }
        size => Ok(size),
    }
}

/// The operator's models, by name.
type Named = BTreeMap<String, Arc<LoadedModel>>;

const WORDS: Words = Words {
    not_found,
    full: "the server keeps as many models as it can; delete one or try again later",
    own: "this network address has reached its limit of models or their memory; delete one or try again later",
};

/// All models of the server.
pub(in crate::server) struct Models {
    /// The folder with the operator's models.
    folder: Option<PathBuf>,
    operators: Mutex<Arc<Named>>,
    shelf: Arc<Shelf<Held>>,
    bytes: Arc<Shares>,
    keep: Duration,
}

/// A client's model on the shelf.
#[derive(Clone)]
struct Held {
    model: Arc<LoadedModel>,
    expires: Instant,
}

impl Shelved for Held {
    fn expires(&self) -> Option<Instant> {
        Some(self.expires)
    }
}

/// Room for one model, taken before it exists.
pub(in crate::server) struct Room {
    models: Arc<Models>,
    client: Client,
    count: shelf::Room,
    bytes: Share,
}

impl Room {
    /// Takes memory for the model, or gives some back, to reach this many bytes.
    pub(in crate::server) fn set(&mut self, bytes: u64) -> Result<()> {
        self.bytes.set(bytes).map_err(|full| self.models.shelf.no_room(full, self.client))
    }

    /// Keeps the model until it expires. Must run in the runtime.
    pub(in crate::server) fn keep(self, model: Arc<LoadedModel>) -> Result<NewModel> {
        let Self { models, count, bytes, .. } = self;
        let expires = Instant::now() + models.keep;
        let id = models.shelf.put(Held { model, expires }, count.with(bytes))?;
        Ok(NewModel { models, id, handed_over: AtomicBool::new(false) })
    }
}

/// A model whose id no client has seen yet. If this is dropped before a client has the id, the model is deleted,
/// because no one could use it.
pub(in crate::server) struct NewModel {
    models: Arc<Models>,
    id: Id,
    handed_over: AtomicBool,
}

impl NewModel {
    /// Its id.
    pub(in crate::server) fn id(&self) -> &Id {
        &self.id
    }

    /// Records that a client has the id.
    pub(in crate::server) fn hand_over(&self) {
        self.handed_over.store(true, Ordering::Relaxed);
    }
}

impl Drop for NewModel {
    fn drop(&mut self) {
        if !self.handed_over.load(Ordering::Relaxed) {
            // The model may have expired.
            let _ = self.models.delete(&self.id);
        }
    }
}

impl Models {
    /// Reads the operator's models, if they have a folder.
    pub(in crate::server) fn new(folder: Option<&Path>, limits: &Limits) -> Result<Self> {
        let named = folder.map(read_folder).transpose()?.unwrap_or_default();
        Ok(Self {
            folder: folder.map(Path::to_owned),
            operators: Mutex::new(Arc::new(named)),
            shelf: Shelf::new(limits.models, limits.client.models, limits.keep_models, WORDS),
            bytes: Shares::new(limits.model_bytes, limits.client.model_bytes),
            keep: limits.keep_models,
        })
    }

    /// The operator's models.
    pub(in crate::server) fn operators(&self) -> Arc<Named> {
        Arc::clone(&locked(&self.operators))
    }

    /// Reloads the operator's models and returns their number. If any of them cannot be read, all stay as they were.
    pub(in crate::server) fn reload(&self) -> Result<usize> {
        let named = self.folder.as_deref().map(read_folder).transpose()?.unwrap_or_default();
        let count = named.len();
        *locked(&self.operators) = Arc::new(named);
        Ok(count)
    }

    /// Checks that there is room for one more model. Called before the upload; [`Models::room`] checks again.
    pub(in crate::server) fn check_room(&self, client: Client) -> Result<()> {
        self.shelf.check_room(client)
    }

    /// Takes room for one more model, without memory yet.
    pub(in crate::server) fn room(self: &Arc<Self>, client: Client) -> Result<Room> {
        let count = self.shelf.room(client)?;
        let bytes = self.bytes.take(client, 0).map_err(|full| self.shelf.no_room(full, client))?;
        Ok(Room { models: Arc::clone(self), client, count, bytes })
    }

    /// The model with this id or name. The error is the same for an id that never existed, was deleted or has expired.
    pub(in crate::server) fn get(&self, id: &Id) -> Result<Arc<LoadedModel>> {
        match self.operators().get(id.as_str()) {
            Some(model) => Ok(Arc::clone(model)),
            None => self.shelf.get(id).map(|held| held.model),
        }
    }

    /// Deletes a client's model.
    pub(in crate::server) fn delete(&self, id: &Id) -> Result<()> {
        self.shelf.take(id).map(drop)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The content is consistent at every moment, so a panic elsewhere does no harm.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_folder(folder: &Path) -> Result<Named> {
    let about = |path: &Path, text: &str| Error::new(Code::BadArgument, format!("{}: {text}", path.display()));
    let mut named = BTreeMap::new();
    for entry in folder.read_dir().map_err(|error| about(folder, &error.to_string()))? {
        let path = entry?.path();
        let (name, ending) = (path.file_stem().and_then(|s| s.to_str()), path.extension().and_then(|s| s.to_str()));
        let Some((name, ENDING)) = name.zip(ending) else { continue };
        let model = std::fs::read(&path)
            .map_err(Error::from)
            .and_then(|bytes| LoadedModel::read(&bytes, &NoWatch))
            .map_err(|error| about(&path, error.message()))?;
        named.insert(name.to_owned(), Arc::new(model));
    }
    Ok(named)
}

fn not_found() -> Error {
    Error::new(Code::ModelNotFound, "the model does not exist, was deleted or has expired")
}

/// The error if an id has become that of a model of another kind while a request waited.
pub(in crate::server) fn replaced() -> Error {
    Error::new(Code::ModelNotFound, "the model was replaced by one of another kind; send the request again")
}
