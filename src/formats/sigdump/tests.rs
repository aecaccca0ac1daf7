use super::super::testing::{functions, holds, read_bytes, read_one, survives_logs};
use crate::model::{LockId, ReportedState, ThreadIx};

const DUMP: &str = "Sigdump at 2026-11-28 19:50:34 +0000 process 17486 (service.rb)
  Thread #<Thread:0x00007fbd20d4fc58 run> status=run priority=0
      /usr/lib/ruby/vendor_ruby/sigdump.rb:52:in `backtrace'
      /usr/lib/ruby/vendor_ruby/sigdump.rb:52:in `dump_backtrace'
      service.rb:100:in `join'
      service.rb:100:in `<main>'
  Thread #<Thread:0x00007fbd1d822170@log > 1 service.rb:89 sleep_forever> status=sleep priority=0
      /srv/app/applog.rb:15:in 'Thread::Mutex#synchronize'
      /srv/app/applog.rb:15:in 'log_message'
      service.rb:89:in 'block (2 levels) in <main>'
      a line of the made-up next version
  GC stat:
      count: 34
  Built-in objects:
   367,492: TOTAL
  All objects:
         1: Thread::Queue
  String 186,993 bytes
   Array 60 elements
    Hash 2 pairs
";

#[test]
fn threads_and_c_functions() {
    let snapshot = read_one(DUMP);
    assert_eq!(snapshot.process.pid, Some(17486));
    assert_eq!(snapshot.process.captured_at.as_deref(), Some("2026-11-28 19:50:34 +0000"));
    assert_eq!(snapshot.threads.len(), 2);
    assert_eq!(snapshot.threads[1].name.as_deref(), Some("log > 1"));
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Asleep));
    let frames = snapshot.stacks.frames_of(snapshot.threads[1].stack).to_vec();
    let top = snapshot.stacks.get(frames[0]);
    assert_eq!((top.module.as_deref(), top.line), (Some("libruby"), Some(15)));
    assert_eq!(top.aliases.iter().map(|a| a.to_string()).collect::<Vec<_>>(), ["synchronize"]);
    assert_eq!(snapshot.stacks.get(frames[1]).module, None);
    assert_eq!(snapshot.gaps.iter().map(|g| g.count).collect::<Vec<_>>(), [1]);
}

#[test]
fn in_logs_and_damaged() {
    survives_logs(DUMP);
}

#[test]
fn several_dumps() {
    assert_eq!(read_bytes(format!("{DUMP}{DUMP}").as_bytes()).len(), 2);
}

#[test]
fn below_a_thread_of_jruby_stands_its_java_thread() {
    let text = "Sigdump at 2026-11-28 19:50:34 +0000 process 7 (logstash)
  Thread #<Thread:0x4d41cee run> status=sleep priority=5
      org/jruby/ext/thread/Mutex.java:170:in `synchronize'
      /srv/app/applog.rb:15:in `log_message'
    In Java \"Ruby-0-Thread-1: /srv/app/service.rb:89\" Id=27 BLOCKED on org.jruby.RubyThread@1b2c owned by \"main\" Id=1
\tat org.jruby.ext.thread.Mutex.lock(Mutex.java:97)
\t-  blocked on org.jruby.RubyThread@1b2c
\tat org.jruby.RubyProc.call(RubyProc.java:318)
\t-  locked org.jruby.RubyProc@77
\t...

  Thread #<Thread:0x4d41cef run> status=run priority=5
    In Java \"main\" Id=1 RUNNABLE
\tat java.io.FileOutputStream.writeBytes(Native Method)

";
    let snapshot = read_one(text);
    assert_eq!(snapshot.source.format.id(), "sigdump");
    assert_eq!(snapshot.threads.len(), 2);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["synchronize", "log_message"]);
    assert_eq!(snapshot.threads[0].reported, Some(ReportedState::Entering));
    let wait = snapshot.threads[0].reported_wait.unwrap();
    assert_eq!(snapshot.named_locks[wait.lock.at()].id, LockId::Token("org.jruby.RubyThread@1b2c".into()));
    assert_eq!(holds(&snapshot, 0), [LockId::Token("org.jruby.RubyProc@77".into())]);
    assert_eq!(functions(&snapshot, ThreadIx(1)), ["java.io.FileOutputStream.writeBytes"]);
}

#[test]
fn talk_is_no_dump() {
    for text in ["Sigdump at work\n", "started Thread #<Thread:0x01 run>\n", "In Java \"main\" is a method\n"]
    {
        assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
    }
}
