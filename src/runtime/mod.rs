//! What turns the engine into something that async code can call.
