//! Models and networks in memory: those of clients, each under an unguessable id up to its expiry, and the operator's, for everybody.
//!
//! Whoever holds a client's id, a [capability](super::capability), uses, fetches and deletes the model, and nobody else can.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::capability::{self, Key};
use super::rings;
use crate::error::{Code, Error, Result};
use crate::learn::Model;
use crate::network::{Circuit, Network};
use crate::watch::{NoWatch, Watch};
use crate::wire::{self, Kind, Prologue};

/// What the names of the operator's models end in.
const ENDING: &str = "model";

/// What an id names.
pub(super) enum Held {
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

impl Held {
    /// Reads the file of a model or a network.
    pub(super) fn read(bytes: &[u8], watch: &dyn Watch) -> Result<Self> {
        if Prologue::parse(bytes)?.kind != Kind::Network {
            return wire::model::read(bytes, watch).map(|model| Self::Open(Box::new(model)));
        }
        let network = wire::network::read(bytes)?;
        let (ring, encoder) = rings::shared(network.front().parameters())?;
        let circuit = Circuit::new(ring, encoder, &network)?;
        Ok(Self::Network(Box::new(Ready { network, circuit })))
    }

    /// About how many bytes of memory it takes.
    fn memory(&self) -> u64 {
        match self {
            Self::Open(model) => model.memory(),
            Self::Network(ready) => {
                let weights: usize = ready.network.layers().iter().map(|layer| 4 * layer.weights.len()).sum();
                (weights + ready.circuit.memory()) as u64
            }
        }
    }
}

/// All models of the server.
pub(super) struct Models {
    /// The operator's, by name.
    house: BTreeMap<String, Arc<Held>>,
    table: Mutex<HashMap<Key, Arc<Held>>>,
    most: usize,
    most_bytes: u64,
    keep: Duration,
}

impl Models {
    /// Reads the operator's models, if there is a folder of them.
    pub(super) fn new(folder: Option<&Path>, most: usize, most_bytes: u64, keep: Duration) -> Result<Self> {
        let house = folder.map(read_folder).transpose()?.unwrap_or_default();
        Ok(Self { house, table: Mutex::default(), most, most_bytes, keep })
    }

    /// The operator's models.
    pub(super) const fn house(&self) -> &BTreeMap<String, Arc<Held>> {
        &self.house
    }

    /// Whether there is room for one more model. Asked before the upload; [`Models::keep`] makes sure of it.
    pub(super) fn check_room(&self) -> Result<()> {
        if self.table().len() < self.most { Ok(()) } else { Err(full()) }
    }

    /// Keeps a model for its time, and gives its id.
    pub(super) fn keep(self: &Arc<Self>, model: Arc<Held>) -> Result<String> {
        let id = capability::new()?;
        let key = capability::key(&id);
        {
            let mut table = self.table();
            let bytes: u64 = table.values().chain([&model]).map(|model| model.memory()).sum();
            if table.len() >= self.most || bytes > self.most_bytes {
                return Err(full());
            }
            table.insert(key, model);
        }
        let models = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(models.keep).await;
            models.table().remove(&key);
        });
        Ok(id)
    }

    /// The model with this id or name. The answer is the same for an id that never was, was deleted, or has expired.
    pub(super) fn get(&self, id: &str) -> Result<Arc<Held>> {
        let own = || self.table().get(&capability::key(id)).cloned();
        self.house.get(id).cloned().or_else(own).ok_or_else(not_found)
    }

    /// Forgets a client's model.
    pub(super) fn delete(&self, id: &str) -> Result<()> {
        self.table().remove(&capability::key(id)).map(drop).ok_or_else(not_found)
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Arc<Held>>> {
        // The table is whole at every moment, so a panic elsewhere does not spoil it.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, Arc<Held>>> {
    let about = |path: &Path, text: &str| Error::new(Code::BadArgument, format!("{}: {text}", path.display()));
    let mut house = BTreeMap::new();
    for entry in folder.read_dir().map_err(|error| about(folder, &error.to_string()))? {
        let path = entry?.path();
        let (name, ending) = (path.file_stem().and_then(|s| s.to_str()), path.extension().and_then(|s| s.to_str()));
        let Some((name, ENDING)) = name.zip(ending) else { continue };
        let model = std::fs::read(&path)
            .map_err(Error::from)
            .and_then(|bytes| Held::read(&bytes, &NoWatch))
            .map_err(|error| about(&path, error.message()))?;
        house.insert(name.to_owned(), Arc::new(model));
    }
    Ok(house)
}

fn not_found() -> Error {
    Error::new(Code::ModelNotFound, "there is no such model, or it was deleted or has expired")
}

fn full() -> Error {
    Error::new(Code::TooBusy, "the server keeps as many models as it can; delete one or try again later")
}
