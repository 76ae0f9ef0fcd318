//! Who may come in, and whose turn it is.
//!
//! A request first takes a place in the house or is sent away at once (`too_busy`); then it waits, in order of arrival,
//! for its turn to run.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::error::{Code, Error, Result};

pub(super) struct Gate {
    /// One permit for each request in the house, running or waiting. Closed when the server takes no new work.
    places: Arc<Semaphore>,
    all_places: usize,
    turns: Arc<Semaphore>,
}

/// A place in the house, free again when dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// The right to run, given on when dropped.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Gate {
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        let all_places = running + waiting;
        Self { places: Arc::new(Semaphore::new(all_places)), all_places, turns: Arc::new(Semaphore::new(running)) }
    }

    /// Takes a place, or says at once why there is none.
    pub(super) fn enter(&self) -> Result<Place> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => Ok(Place { _permit: permit }),
            Err(TryAcquireError::NoPermits) => {
                Err(Error::new(Code::TooBusy, "the server has as much work as it takes on; try again in a while"))
            }
            Err(TryAcquireError::Closed) => {
                Err(Error::new(Code::ShuttingDown, "the server is shutting down; try again later or elsewhere"))
            }
        }
    }

    /// Waits for the turn of the request that holds this place.
    pub(super) async fn turn(&self, _place: &Place) -> Result<Turn> {
        match Arc::clone(&self.turns).acquire_owned().await {
            Ok(permit) => Ok(Turn { _permit: permit }),
            Err(_) => Err(Error::new(Code::Internal, "the queue was closed while work was waiting")),
        }
    }

    /// From now on nobody enters. Those inside go on.
    pub(super) fn close(&self) {
        self.places.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.places.is_closed()
    }

    /// Whether nobody is inside.
    pub(super) fn is_empty(&self) -> bool {
        self.places.available_permits() == self.all_places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_and_turns_are_limited_and_come_back() {
        let gate = Gate::new(1, 1);
        let first = gate.enter().expect("a free house");
        let turn = gate.turn(&first).await.expect("a free turn");
        let second = gate.enter().expect("one may wait");
        assert_eq!(gate.enter().err().map(|e| e.kind()), Some(Code::TooBusy));
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), gate.turn(&second)).await;
        assert!(waiting.is_err(), "the second runs only after the first");
        drop((turn, first));
        assert!(gate.turn(&second).await.is_ok());
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn a_closed_gate_lets_nobody_in_and_sees_the_last_one_out() {
        let gate = Gate::new(2, 0);
        let inside = gate.enter().expect("a free house");
        gate.close();
        assert_eq!(gate.enter().err().map(|e| e.kind()), Some(Code::ShuttingDown));
        assert!(!gate.is_empty());
        drop(inside);
        assert!(gate.is_empty());
    }
}
