//! A few connections that calls share, one call at a time on each.

use crate::client::http::{Client as Connection, ClientError};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

#[derive(Debug)]
pub(super) struct Pool {
    socket: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// How many more may be lent.
    room: Semaphore,
}

impl Pool {
    pub(super) const fn new(socket: PathBuf, max: usize) -> Self {
        Self { socket, idle: Mutex::new(Vec::new()), room: Semaphore::const_new(max) }
    }

    /// A connection for one call; waits for its turn.
    pub(super) async fn lend(&self) -> Result<Lent<'_>, ClientError> {
        let permit = self.room.acquire().await.expect("it is never closed");
        let idle = self.idle().pop();
        let connection = match idle {
            Some(mut connection) => {
                connection.reopen_if_closed().await?;
                connection
            }
            None => Connection::connect(&self.socket).await?,
        };
        Ok(Lent { pool: self, connection, _permit: permit })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that was lent. Dropping it closes it: an answer may still be on its way.
#[derive(Debug)]
pub(super) struct Lent<'a> {
    pool: &'a Pool,
    connection: Connection,
    _permit: SemaphorePermit<'a>,
}

impl Lent<'_> {
    pub(super) const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Keeps the connection for the next call, if this one was answered.
    pub(super) fn give_back<T>(self, answer: &Result<T, ClientError>) {
        if matches!(answer, Ok(_) | Err(ClientError::Problem(_))) {
            self.pool.idle().push(self.connection);
        }
    }
}
