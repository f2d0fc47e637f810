//! libp2p: links, discovery, admission at the door. Decides nothing.
