//! Models and networks in memory: those of clients, each with an unguessable id until it expires, and the operator's, which are
//! public.
//!
//! Only those who know a client's id, a [capability](super::capability), can use, fetch and delete the model.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::capability::{self, Key};
use super::client::Client;
use super::config::Limits;
use super::shares::{Full, Share, Shares};
use super::{admission, rings};
use crate::error::{Code, Error, Result};
use crate::learn::Model;
use crate::network::{Circuit, Network};
use crate::watch::{NoWatch, Watch};
use crate::wire::{Kind, Prologue, Size};

/// The extension of the operator's models.
const ENDING: &str = "model";

/// What an id names.
pub(super) enum LoadedModel {
    /// A model for pictures that the server sees, scrambled or not.
    Open(Box<Model>),
    /// A network for encrypted ones.
    Network(Box<Ready>),
}

/// A network, ready for work.
pub(super) struct Ready {
    pub(super) network: Network,
    pub(super) circuit: Circuit,
}

impl LoadedModel {
    /// Reads the file of a model or a network.
    pub(super) fn read(bytes: &[u8], watch: &dyn Watch) -> Result<Self> {
        if Prologue::parse(bytes)?.kind != Kind::Network {
            return crate::learn::wire::read(bytes, watch).map(|model| Self::Open(Box::new(model)));
        }
        let network = crate::network::wire::read(bytes)?;
        let (ring, encoder) = rings::shared(network.spec().parameters())?;
        let circuit = Circuit::new(ring, encoder, &network)?;
        Ok(Self::Network(Box::new(Ready { network, circuit })))
    }

    /// Its approximate memory in bytes.
    pub(super) fn memory(&self) -> u64 {
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
pub(super) fn size(head: &[u8]) -> Result<Option<Size>> {
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

/// All models of the server.
pub(super) struct Models {
    /// The folder with the operator's models.
    folder: Option<PathBuf>,
    operators: Mutex<Arc<Named>>,
    table: Mutex<HashMap<Key, Entry>>,
    counts: Arc<Shares>,
    bytes: Arc<Shares>,
    keep: Duration,
}

/// A client's model in the table.
struct Entry {
    model: Arc<LoadedModel>,
    client: Client,
    expires: Instant,
    _room: [Share; 2],
}

/// Room for one model, taken before it exists.
pub(super) struct Room {
    models: Arc<Models>,
    client: Client,
    count: Share,
    bytes: Share,
}

impl Room {
    /// Takes memory for the model, or gives some back, to reach this many bytes.
    pub(super) fn set(&mut self, bytes: u64) -> Result<()> {
        self.bytes.set(bytes).map_err(|full| self.models.no_room(full, self.client))
    }
}

impl Models {
    /// Reads the operator's models, if they have a folder.
    pub(super) fn new(folder: Option<&Path>, limits: &Limits) -> Result<Self> {
        let named = folder.map(read_folder).transpose()?.unwrap_or_default();
        Ok(Self {
            folder: folder.map(Path::to_owned),
            operators: Mutex::new(Arc::new(named)),
            table: Mutex::default(),
            counts: Shares::new(limits.models as u64, limits.client.models as u64),
            bytes: Shares::new(limits.model_bytes, limits.client.model_bytes),
            keep: limits.keep_models,
        })
    }

    /// The operator's models.
    pub(super) fn operators(&self) -> Arc<Named> {
        Arc::clone(&locked(&self.operators))
    }

    /// Reloads the operator's models and returns their number. If one cannot be read, all stay as they were.
    pub(super) fn reload(&self) -> Result<usize> {
        let named = self.folder.as_deref().map(read_folder).transpose()?.unwrap_or_default();
        let count = named.len();
        *locked(&self.operators) = Arc::new(named);
        Ok(count)
    }

    /// Checks that there is room for one more model. Called before the upload; [`Models::room`] checks again.
    pub(super) fn check_room(&self, client: Client) -> Result<()> {
        self.counts.check(client, 1).map_err(|full| self.no_room(full, client))
    }

    /// Takes room for one more model, without memory yet.
    pub(super) fn room(self: &Arc<Self>, client: Client) -> Result<Room> {
        let take =
            |shares: &Arc<Shares>, amount| shares.take(client, amount).map_err(|full| self.no_room(full, client));
        let (count, bytes) = (take(&self.counts, 1)?, take(&self.bytes, 0)?);
        Ok(Room { models: Arc::clone(self), client, count, bytes })
    }

    fn no_room(&self, full: Full, client: Client) -> Error {
        let table = locked(&self.table);
        let helps = |entry: &&Entry| full == Full::All || entry.client == client;
        let next = table.values().filter(helps).map(|entry| entry.expires).min();
        let left = next.map_or(self.keep, |next| next.saturating_duration_since(Instant::now()));
        full.error(
            "the server keeps as many models as it can; delete one or try again later",
            "this network address has reached its limit of models or their memory; delete one or try again later",
            admission::seconds(left),
        )
    }

    /// Keeps a model until it expires, and returns its id.
    pub(super) fn keep(self: &Arc<Self>, model: Arc<LoadedModel>, room: Room) -> Result<String> {
        let id = capability::new()?;
        let key = capability::key(&id);
        let expires = Instant::now() + self.keep;
        let Room { client, count, bytes, .. } = room;
        locked(&self.table).insert(key, Entry { model, client, expires, _room: [count, bytes] });
        let models = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(expires).await;
            if let Some(models) = models.upgrade() {
                drop(models.take(&key));
            }
        });
        Ok(id)
    }

    /// Takes an entry out of the table. The table is free again when it is dropped.
    fn take(&self, key: &Key) -> Option<Entry> {
        locked(&self.table).remove(key)
    }

    /// The model with this id or name. The error is the same for an id that never existed, was deleted or has expired.
    pub(super) fn get(&self, id: &str) -> Result<Arc<LoadedModel>> {
        let own = || locked(&self.table).get(&capability::key(id)).map(|entry| Arc::clone(&entry.model));
        self.operators().get(id).cloned().or_else(own).ok_or_else(not_found)
    }

    /// Deletes a client's model.
    pub(super) fn delete(&self, id: &str) -> Result<()> {
        self.take(&capability::key(id)).map(drop).ok_or_else(not_found)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole at every moment, so a panic elsewhere does not spoil it.
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
