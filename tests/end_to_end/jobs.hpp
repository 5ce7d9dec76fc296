#pragma once

#include <tenure/jobs/options.hpp>

#include <cereal/cereal.hpp>

#include <string>
#include <string_view>

// What the end-to-end tests enqueue. Jobs and tests meet at files in a folder of the test.
namespace tenure::testing {

// Writes its pid into FOLDER/started-NAME, waits until FOLDER/go-NAME exists (or its stop token fires, when it obeys), then
// counts itself in its tenant by `once`.
struct Wait {
  static constexpr std::string_view kind = "test.wait";
  std::string name;
  bool obeys_stop = false;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(obeys_stop));
  }
};

// At its first run it tells that it is at 40 of 100, saves that as its cursor, writes its pid as Wait does, and comes to the same
// checkpoint again and again until it is interrupted. A later run writes the cursor that it sees into FOLDER/cursor-NAME.
struct Resume {
  static constexpr std::string_view kind = "test.resume";
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

// As Wait, but busy: it never sleeps.
struct Spin {
  static constexpr std::string_view kind = "test.spin";
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

// The same under a limit of its kind.
struct SpinTooLong {
  static constexpr std::string_view kind = "test.spin_too_long";
  static tenure::JobOptions options() {
    return {.attempts_max = 1, .time_limit = std::chrono::milliseconds{1500}};
  }
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

// A query without an end, in its tenant; `name` as in Wait. Its kind's time limit is a second.
struct EndlessQuery {
  static constexpr std::string_view kind = "test.endless_query";
  static tenure::JobOptions options() { return {.attempts_max = 1, .time_limit = std::chrono::seconds{1}}; }
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

// Prints numbered lines: `lines` of them to standard output, and one to standard error.
struct Print {
  static constexpr std::string_view kind = "test.print";
  std::string text;
  int lines = 1;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text), CEREAL_NVP(lines));
  }
};

// Tells of its progress to whom it writes, waits as Wait does, and throws what quotes all of its arguments.
struct Quote {
  static constexpr std::string_view kind = "test.quote";
  static tenure::JobOptions options() { return {.attempts_max = 1}; }
  std::string name;
  std::string recipient;
  std::string api_token;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(recipient), CEREAL_NVP(api_token));
  }
};

// Counts itself, and fails.
struct Falter {
  static constexpr std::string_view kind = "test.falter";
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

struct Count {
  static constexpr std::string_view kind = "test.count";
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

// Enqueues a Count of that name, in its tenant.
struct Spawn {
  static constexpr std::string_view kind = "test.spawn";
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

// Does nothing, which is quick; or, told to wait, what Wait does.
struct Turn {
  static constexpr std::string_view kind = "test.turn";
  std::string waits_as;  // "": does not wait
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(waits_as));
  }
};

// Ends its process: "abort", "exit", "segfault", "stack" (an overflow of it), "terminate" (an exception that leaves a thread of its own);
// or the daemon, which is its process's parent: "kill-daemon". Or tries what does not: "throw" (what is no std::exception), "allocate" (a
// GiB beyond the limit of its process). With a name it waits as Wait does before that.
struct Crash {
  static constexpr std::string_view kind = "test.crash";
  std::string how;
  std::string waits_as = {};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(how), CEREAL_NVP(waits_as));
  }
};

// Counts itself and forks. "returns": parent and child return from the handler; "in_once": the fork is inside the step, and both
// commit; "daemon": the process makes itself one, and only the child returns; "lives_on": the child writes its pid into
// FOLDER/started-child-NAME and stays; "escapes": the same in a session of its own.
struct Fork {
  static constexpr std::string_view kind = "test.fork";
  std::string name;
  std::string how;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(how));
  }
};

// Does to its process what no job after it should meet: "working_folder", "umask"; "children_environment" writes the variables that a
// child gets into FOLDER/environment; "socket", "eventpoll", "eventfd" close that descriptor of the worker's.
struct Meddle {
  static constexpr std::string_view kind = "test.meddle";
  std::string with;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(with));
  }
};

// Writes umask and working folder of its process into FOLDER/surroundings.
struct LookAround {
  static constexpr std::string_view kind = "test.look_around";
  template <class Archive>
  void serialize(Archive&) {}
};

struct Throw {
  static constexpr std::string_view kind = "test.throw";
  static JobOptions options() { return {.attempts_max = 1}; }
  template <class Archive>
  void serialize(Archive&) {}
};

}  // namespace tenure::testing
