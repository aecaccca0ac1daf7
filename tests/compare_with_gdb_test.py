#!/usr/bin/env python3
"""Tests of compare_with_gdb.py itself: its normalization, and the count of stacks with a fake logjam."""
import unittest
import compare_with_gdb as c

class NoAliases:
    def same(self, module, a, b):
        return module == "libc.so.6" and {a, b} <= {"write", "__GI___libc_write"}

PAIRS = [
    ("audit::Logger::write", "audit::Logger::write(char const*, std::__cxx11::basic_string<char> const&)"),
    ("std::lock_guard<std::mutex>::lock_guard", "std::lock_guard<std::mutex>::lock_guard(std::mutex&)"),
    ("operator()", "main::{lambda()#1}::operator()() const"),
    ("std::__invoke_impl<void, main()::<lambda()> >", "void std::__invoke_impl<void, main::{lambda()#1}>(std::__invoke_other, main::{lambda()#1}&&)"),
    ("std::fs::{impl#10}::write", "<std::fs::File as std::io::Write>::write"),
    ("std::sync::poison::mutex::Mutex::lock<var_rust_static::Log>", "std::sync::poison::mutex::Mutex<T>::lock"),
    ("x::main::{closure#0}", "x::main::{{closure}}::h0123456789abcdef"),
    ("??", "libstdc++.so.6+0xd44a2"),
    ("__GI___libc_write", "write"),
    ("pthread_spin_lock@@GLIBC_2.34", "pthread_spin_lock"),
    ("std::operator<< <std::char_traits<char> >", "std::basic_ostream<char, std::char_traits<char> >& std::operator<< <std::char_traits<char> >(std::basic_ostream<char>&, char const*)"),
    ("(anonymous namespace)::in_a_catch", "(anonymous namespace)::in_a_catch()"),
    ("load_row(int) [clone .part.0]", "load_row"),
]
OTHERS = [("read", "write"), ("??", "write"), ("audit::Logger::write", "audit::Sink::write"), ("operator()", "operator<<"), ("a::f", "")]

class Names(unittest.TestCase):
    def test_same(self):
        for a, b in PAIRS:
            self.assertTrue(c.same_name(a, b, "libc.so.6", NoAliases()), f"{a} / {b}: {c.normal(a)} / {c.normal(b)}")

    def test_other(self):
        for a, b in OTHERS:
            self.assertFalse(c.same_name(a, b, "libc.so.6", NoAliases()), f"{a} / {b}: {c.normal(a)} / {c.normal(b)}")

class Stacks(unittest.TestCase):
    gdb = [["read", "normal", "0x1", "libc.so.6"], ["handler", "normal", "0x2", ""], ["__restore_rt", "signal", "0x3", "libc.so.6"],
           ["jumped_over", "tailcall", "0x4", ""], ["main", "normal", "0x5", ""]]

    def ours(self, *names):
        return [{"function": n} for n in names]

    def test_tail_calls_may_be_there_or_not(self):
        for names in (["read", "handler", "<signal handler called>", "main"], ["read", "handler", "<signal handler called>", "jumped_over", "main"]):
            self.assertIsNone(c.difference(self.gdb, self.ours(*names), 100, NoAliases(), "x"))

    def test_the_first_difference(self):
        self.assertEqual(c.difference(self.gdb, self.ours("read", "other"), 100, NoAliases(), "x"), 1)
        self.assertEqual(c.difference(self.gdb, self.ours("read", "handler"), 100, NoAliases(), "x"), 2)
        self.assertEqual(c.difference(self.gdb, self.ours("read", "handler", "__restore_rt", "other"), 100, NoAliases(), "x"), 3)

    def test_frames_beyond_the_limit_do_not_count(self):
        self.assertIsNone(c.difference(self.gdb[:2], self.ours("read", "handler", "more"), 2, NoAliases(), "x"))

if __name__ == "__main__":
    unittest.main()
