//! Identities, mesh membership, signatures: everything that decides whom and what to believe.
