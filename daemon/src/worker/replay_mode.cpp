#include "replay_mode.hpp"

#include "../loop/signals.hpp"
#include "held_output.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/exit_code.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/no_sockets.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/sqlite/open_databases.hpp>
#include <tenure/base/system.hpp>
#include <tenure/jobs/scratch_replay.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/file_name.hpp>
#include <tenure/replay/replay_report.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <string_view>

namespace tenure::daemon {
namespace {

std::string take_variable(std::string_view name) {
  const std::string variable{name};
  const char* text = std::getenv(variable.c_str());
  std::string taken = text == nullptr ? "" : text;
  ::unsetenv(variable.c_str());
  return taken;
}

// Whole or not there: whoever started us may look at any time.
void write_report(const std::filesystem::path& file, const replay::ReplayReport& report) {
  const std::filesystem::path beside = file.string() + ".new";
  const Descriptor written{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!written.is_open() || !write_all(written.number(), replay::report_text(report)) ||
      ::rename(beside.c_str(), file.c_str()) != 0)
    raise_system(errno, "the report of the replay cannot be written", file);
}

// As under tenured: a handler that writes where nobody reads meets an error and no signal.
void take_writes_as_errors() {
  for (const int number : {SIGPIPE, SIGXFSZ}) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
    default_in_children(number);
  }
}

// A debugger, or whoever else traces the process.
bool is_traced() {
  constexpr std::string_view kTracer = "TracerPid:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(kTracer)) return line.find_first_not_of("\t 0", kTracer.size()) != line.npos;
  return false;
}

class Replaying {
 public:
  Replaying(const ReplayRequest& request, const JobRegistry& jobs, const WorkerOptions& options)
      : request_(request), jobs_(jobs) {
    report_.program_version = options.version;
  }

  int run() {
    write_report(request_.report, report_);
    try {
      perform();
    } catch (const Error& error) {  // a border: what cannot be replayed is told to whoever asked for it
      output_.let_through();
      return refuse(error.failure());
    } catch (const std::exception& error) {
      output_.let_through();
      return refuse({ErrorCode::internal, text_of(error)});
    }
    report_.stage = replay::Stage::done;
    write_report(request_.report, report_);
    return number_of(report_.difference ? ExitCode::refused : ExitCode::done);
  }

 private:
  void perform() {
    sqlite::refuse_open_databases("worker_main");
    const replay::Expectation expected = value_or_raise(replay::expectation_of(request_.capsule));
    const replay::Capsule capsule = replay::read_capsule(request_.capsule);
    refuse_new_sockets(NoSocketsOf::process);
    report_.stage = replay::Stage::performing;
    write_report(request_.report, report_);
    if (!request_.from.empty() && !is_traced()) output_.hold();
    const replay::RunRecord replayed =
        replay_in_scratch(jobs_, request_.capsule, capsule, request_.scratch,
                          {.on_step = [this](std::string_view step) { step_begins(step); }});
    output_.let_through();
    report_.failure = replayed.failure;
    report_.calls = replayed.calls.size();
    report_.jobs = replayed.jobs.size();
    report_.rows = replayed.changes.size();
    report_.difference = replay::compare(capsule.run, replayed, expected);
  }

  void step_begins(std::string_view step) {
    report_.steps.emplace_back(step);
    if (step != request_.from) return;
    output_.let_through();
    if (is_traced()) ::raise(SIGTRAP);  // here `--from` stops; `up` leads to the handler
  }

  int refuse(const Failure& failure) {
    report_.stage = replay::Stage::refused;
    report_.refusal = replay::refusal_of(failure);
    write_report(request_.report, report_);
    const ErrorCode code =
        report_.refusal->code;  // of UnknownKind as `tenure` says it: another program is to be named
    return number_of(code == ErrorCode::unknown_kind ? ExitCode::usage : exit_code_of(code));
  }

  const ReplayRequest& request_;
  const JobRegistry& jobs_;
  replay::ReplayReport report_;
  HeldOutput output_;
};

}  // namespace

std::optional<ReplayRequest> take_replay_request() {
  ReplayRequest request{.capsule = take_variable(replay::kCapsuleVariable),
                        .scratch = take_variable(replay::kScratchVariable),
                        .report = take_variable(replay::kReportVariable),
                        .from = take_variable(replay::kFromVariable)};
  if (request.capsule.empty() || request.scratch.empty() || request.report.empty()) return std::nullopt;
  return request;
}

// Ctrl-C is a debugger's, and without one it ends the program.
int run_replay(const ReplayRequest& request, const JobRegistry& jobs, const WorkerOptions& options) {
  log::configure({.level = log::Level::warning, .format = log::Format::text});
  let_signals_through();
  take_writes_as_errors();
  return Replaying(request, jobs, options).run();
}

}  // namespace tenure::daemon
