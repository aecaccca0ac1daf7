#!/usr/bin/env python3
"""Writes the sources of a C++ program with more than 100 MB of DWARF and 400 different stacks.

usage: heavy.py FOLDER [UNITS]

The program: a logging library that holds its mutex while it writes to a full pipe, and UNITS services of
10 entry points each. Every entry has a call chain of its own, through templates, lambdas and inlined
functions, and ends in the log's mutex (most), in a condition variable or in a read. `heavy THREADS` starts
the threads round robin over all entries and prints "ready".
"""
import pathlib, random, sys

HEADER = r'''
#pragma once
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#define NOINLINE __attribute__((noinline))

long log_message(int level, const char *text, long value);
long wait_for_job(long value);
long read_reply(long value);
extern volatile long g_progress;

template <class Key, class Value> class Table {
  public:
    using Row = std::pair<const Key, std::shared_ptr<Value>>;
    std::shared_ptr<Value> find(const Key &key) const {
        auto at = ordered_.find(key);
        return at == ordered_.end() ? nullptr : at->second;
    }
    static Key key(long n) {
        if constexpr (std::is_same_v<Key, std::string>) return std::to_string(n);
        else return Key(n);
    }
    void insert(const Key &key, Value value) {
        auto shared = std::make_shared<Value>(std::move(value));
        ordered_[key] = shared;
        recent_.push_back(shared);
        by_order_.emplace(order_++, shared);
    }
    template <class Visitor> void each(Visitor visit) const {
        for (const auto &row : ordered_) visit(row.first, *row.second);
    }
    std::optional<std::variant<Value, std::string>> first() const {
        if (recent_.empty()) return std::nullopt;
        return std::variant<Value, std::string>(*recent_.front());
    }
    std::vector<std::shared_ptr<Value>> sorted(std::function<bool(const Value &, const Value &)> less) const {
        std::vector<std::shared_ptr<Value>> all(recent_.begin(), recent_.end());
        std::sort(all.begin(), all.end(), [&](const auto &a, const auto &b) { return less(*a, *b); });
        return all;
    }

  private:
    std::map<Key, std::shared_ptr<Value>> ordered_;
    std::unordered_map<long, std::shared_ptr<Value>> by_order_;
    std::deque<std::shared_ptr<Value>> recent_;
    long order_ = 0;
};

template <class Service, int N> struct Stage {
    template <class Next> static inline __attribute__((always_inline)) long through(long value, Next next) {
        long got = next(value + N);
        return got + g_progress;
    }
};
'''

def unit(n, rng):
    out = [f'#include "heavy.hh"\nnamespace service{n:02} {{\nstruct Tag {{}};']
    kinds = ["long", "double", "std::string", "unsigned", "std::vector<int>", "std::set<long>", "std::list<std::string>"]
    types = 5
    for t in range(types):
        fields = "".join(f" {rng.choice(kinds)} field_{t}_{f}{{}};" for f in range(10))
        out.append(f"struct Record{t} {{{fields} long weight() const {{ return long(sizeof(*this)) + {t}; }} }};")
        out.append(f"Table<{rng.choice(['long', 'std::string', 'unsigned'])}, Record{t}> table{t};")
    for e in range(10):
        depth = rng.randint(6, 10)
        end = rng.choice(["log_message(6, \"entry\", value)"] * 7 + ["wait_for_job(value)", "wait_for_job(value)", "read_reply(value)"])
        out.append(f"NOINLINE static long entry{e}_end(long value) {{ return {end} + g_progress; }}")
        below = f"entry{e}_end"
        for d in range(depth):
            this = f"entry{e}_step{d}"
            style = rng.randrange(4)
            if style == 0:
                out.append(f"NOINLINE static long {this}(long value) {{ return {below}(value + {d}) + g_progress; }}")
            elif style == 1:
                out.append(f"NOINLINE static long {this}(long value) {{ return Stage<Tag, {e * 16 + d}>::through(value, [](long v) {{ return {below}(v) + g_progress; }}) + g_progress; }}")
            elif style == 2:
                out.append(f"template <class T> NOINLINE static long {this}_t(T value) {{ return {below}(long(value)) + g_progress; }}\nNOINLINE static long {this}(long value) {{ return {this}_t<{rng.choice(['long', 'unsigned', 'short'])}>(value) + g_progress; }}")
            else:
                out.append(f"NOINLINE static long {this}(long value) {{ std::function<long(long)> call = [value](long v) {{ return {below}(v + value) + g_progress; }}; return call(value) + g_progress; }}")
            below = this
        t = rng.randrange(types)
        out.append(f"long entry{e}(long value) {{ long sum = {below}(value); return sum + g_progress; }}")
    out.append("long fill(long value) {")
    for t in range(types):
        out.append(f" {{ Record{t} r; table{t}.insert(table{t}.key(value), r);"
                   f" table{t}.each([&](const auto &, const Record{t} &row) {{ value += row.weight(); }}); if (auto f = table{t}.first()) value += f->index();"
                   f" value += table{t}.sorted([](const Record{t} &a, const Record{t} &b) {{ return a.weight() < b.weight(); }}).size(); }}")
    out.append(" return value;\n}\n}")
    return "\n".join(out) + "\n"

def main_unit(units):
    declare = "\n".join(f"namespace service{n:02} {{ {' '.join(f'long entry{e}(long);' for e in range(10))} long fill(long); }}" for n in range(units))
    entries = ",\n".join(", ".join(f"service{n:02}::entry{e}" for e in range(10)) for n in range(units))
    fills = " ".join(f"service{n:02}::fill(argc);" for n in range(units))
    return r'''
#include "heavy.hh"
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
''' + declare + r'''
volatile long g_progress;
static std::mutex g_log_mutex, g_jobs_mutex;
static std::condition_variable g_jobs;
static int g_sink, g_silent;

NOINLINE static long log_sink_write(const char *line, size_t n) { return write(g_sink, line, n) + g_progress; }
NOINLINE long log_message(int level, const char *text, long value) {
    char line[128];
    std::lock_guard<std::mutex> guard(g_log_mutex);
    int n = snprintf(line, sizeof line, "<%d> %s %ld\n", level, text, value);
    return log_sink_write(line, n) + g_progress;
}
NOINLINE long wait_for_job(long value) {
    std::unique_lock<std::mutex> lock(g_jobs_mutex);
    g_jobs.wait(lock, [] { return g_progress > 0; });
    return value + g_progress;
}
NOINLINE long read_reply(long value) {
    char byte;
    return value + read(g_silent, &byte, 1) + g_progress;
}
static long (*const entries[])(long) = {
''' + entries + r'''
};
static void *run(void *arg) {
    long i = (long)arg;
    long got = entries[i % (long)(sizeof entries / sizeof *entries)](i);
    g_progress = g_progress + got;
    return nullptr;
}
int main(int argc, char **argv) {
    long threads = argc > 1 ? atol(argv[1]) : 5000;
    if (threads < 0) { ''' + fills + r''' }
    int fd[2];
    static const char zeros[4096] = {};
    if (pipe(fd)) return 1;
    g_silent = fd[0];
    if (pipe(fd)) return 1;
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    while (write(fd[1], zeros, sizeof zeros) > 0) {}
    fcntl(fd[1], F_SETFL, 0);
    g_sink = fd[1];
    int quiet[2];
    if (pipe(quiet)) return 1;
    g_silent = quiet[0];
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 32768);
    for (long i = 1; i < threads; i++) {
        pthread_t t;
        if (pthread_create(&t, &attr, run, (void *)i)) return 1;
    }
    usleep(1500000);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
'''

folder, units = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40
rng = random.Random(1)
folder.mkdir(parents=True, exist_ok=True)
(folder / "heavy.hh").write_text(HEADER)
for n in range(units):
    (folder / f"unit{n:02}.cc").write_text(unit(n, rng))
(folder / "main.cc").write_text(main_unit(units))
