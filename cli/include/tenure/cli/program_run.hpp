#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/run.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// A program that a command starts on its own terminal and waits for.
namespace tenure::cli {

// How long a program may take until it says hello. It may load and connect what it likes before.
inline constexpr std::chrono::seconds kHelloMax{60};

struct ProgramStart {
  std::vector<std::string> command;    // the first is a path
  std::vector<std::string> variables;  // "NAME=value": all that it gets
  bool data_as_messages = false;       // what it prints goes to standard error
  // Ctrl-C and its like are its own to obey; only SIGTERM and SIGHUP end it.
  bool has_the_terminal = false;
  // Looked at once, after `hello_max`: what has not said hello by then is ended. None: no bound.
  std::function<bool()> has_said_hello = nullptr;
  std::chrono::milliseconds hello_max = kHelloMax;
  std::chrono::milliseconds grace = std::chrono::seconds{5};  // between a signal that it is given and SIGKILL
};

struct ProgramEnd {
  enum class Why : std::uint8_t {
    by_itself,
    silent,        // ended since it had not said hello
    told_to_end,   // by a signal to us, which it was given
    cannot_start,  // `error` says why
  };
  Why why = Why::by_itself;
  queue::ProcessExit exit = {};
  int error = 0;  // of errno
};

// SIGINT, SIGQUIT, SIGTERM and SIGHUP wait from now on until run_program() looks for them, so that whoever makes something comes to remove it.
void hold_ends();

// Starts it and waits for its end, however long that takes. A signal of hold_ends() that comes is handed on; what has not ended
// within the grace is killed, and so is a program that outlives us. Threads: the main one.
[[nodiscard]] ProgramEnd run_program(const ProgramStart& start, const Clock& clock);

}  // namespace tenure::cli
