//! From the diagnosis to bytes: one file a reporter. Reporters neither
//! filter nor decide.
