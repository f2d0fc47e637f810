//! The public types and the client that speaks HTTP to a node.
