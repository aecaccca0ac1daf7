//! From registers and memory to vectors of program counters, over rules cached by pc.
