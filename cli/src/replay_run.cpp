#include "nouns.hpp"
#include "replay_verdict.hpp"
#include "scratch_folder.hpp"
#include "worker_program.hpp"

#include <tenure/base/file_kind.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/cli/program_run.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/file_name.hpp>
#include <tenure/replay/replay_report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

// `tenure replay run`: the worker program performs the run of a capsule once more, in a scratch folder (daemon/src/worker/replay_mode).
namespace tenure::cli {
namespace {

constexpr std::string_view kDebugger = "gdb -q --args";
std::filesystem::path parent_of_scratch(const Session& session, const Environment& environment) {
  if (session.has("scratch")) return session.option("scratch");
  const std::string_view named = variable(environment, "TMPDIR");
  return named.empty() ? "/tmp" : named;
}

class ReplayRun {
 public:
  explicit ReplayRun(Session& session)
      : session_(session),
        program_(worker_program_of(session)),
        file_(std::filesystem::absolute(session.words().front())),
        capsule_(replay::read_capsule(file_)),
        expected_(value_or_raise(replay::expectation_of(file_))) {
    if (session.has("from") && session.option("from").empty())
      raise(ErrorCode::bad_options, "--from wants the name of a step");
  }

  ExitCode run() {
    session_.environment().hold_ends();
    ScratchFolder scratch(parent_of_scratch(session_, session_.environment()));
    if (session_.has("keep")) scratch.keep();
    prepare(scratch.path());
    hint();
    const ProgramEnd end = session_.environment().run_program(start(scratch.path()));
    if (session_.has("keep"))
      session_.note(fmt::format("kept: {}", escaped(scratch.path().string(), kPathShown)));
    const std::optional<replay::ReplayReport> report = report_in(scratch.path());
    return tell(judged(end, report), scratch.path());
  }

 private:
  static constexpr std::size_t kPathShown = 4096;

  [[nodiscard]] bool has_debugger() const { return session_.has("debugger"); }
  static std::filesystem::path report_file(const std::filesystem::path& scratch) {
    return scratch / "report.json";
  }
  static std::filesystem::path world(const std::filesystem::path& scratch) { return scratch / "tenants"; }

  // A text of JSON is one of TOML.
  static std::string quoted(std::string_view text) {
    std::string out;
    json::Writer(out).string(to_utf8(text));
    return out;
  }

  // What main() may read before it comes to worker_main() names nothing that is in use.
  void prepare(const std::filesystem::path& scratch) const {
    std::filesystem::create_directory(world(scratch));
    write_scratch_file(
        scratch / "tenure.toml",
        fmt::format("# Of a replay: nothing that is named here is in use.\n"
                    "[application]\nname = {}\n\n[store]\npath = \"%{{config_dir}}/control.db\"\n\n"
                    "[tenants]\npath = \"%{{config_dir}}/tenants/%{{tenant}}.db\"\n",
                    quoted(capsule_.head.application)));
  }

  [[nodiscard]] std::vector<std::string> variables(const std::filesystem::path& scratch) const {
    std::vector<std::string> result;
    for (const auto& [name, value] : session_.environment().variables)
      if (!name.starts_with("TENURE_") || name.starts_with("TENURE_TEST_"))
        result.push_back(fmt::format("{}={}", name, value));
    const auto add = [&](std::string_view name, std::string_view value) {
      result.push_back(fmt::format("{}={}", name, value));
    };
    add("TENURE_CONFIG", (scratch / "tenure.toml").string());
    result.emplace_back(kNoWorkerSocket);
    add(replay::kCapsuleVariable, file_.string());
    add(replay::kScratchVariable, world(scratch).string());
    add(replay::kReportVariable, report_file(scratch).string());
    if (session_.has("from")) add(replay::kFromVariable, session_.option("from"));
    return result;
  }

  // A debugger's command is the user's own text, with the quotes that a shell knows.
  [[nodiscard]] std::vector<std::string> command() const {
    if (!has_debugger()) return {program_.string()};
    const std::string_view named = session_.option("debugger");
    return {"/bin/sh", "-c", fmt::format("exec {} \"$@\"", named.empty() ? kDebugger : named), "sh",
            program_.string()};
  }

  [[nodiscard]] ProgramStart start(const std::filesystem::path& scratch) const {
    ProgramStart start{.command = command(),
                       .variables = variables(scratch),
                       .data_as_messages = session_.json(),
                       .has_the_terminal = has_debugger()};
    if (!has_debugger())
      start.has_said_hello = [file = report_file(scratch)] { return std::filesystem::exists(file); };
    return start;
  }

  void hint() const {
    if (!has_debugger()) return;
    session_.note(
        session_.has("from")
            ? fmt::format("type run: it stops as the step {} begins, and up leads to the handler",
                          quoted_step(session_.option("from")))
            : "set a breakpoint in the handler, then type run; the whole run is on the main thread");
  }

  static std::optional<replay::ReplayReport> report_in(const std::filesystem::path& scratch) {
    std::ifstream in(report_file(scratch), std::ios::binary);
    if (!in) return std::nullopt;
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return value_or_raise(replay::read_report(text));
  }

  // What became of the program, as a verdict; whatever left none is thrown.
  [[nodiscard]] ReplayVerdict judged(const ProgramEnd& end,
                                     const std::optional<replay::ReplayReport>& report) const {
    if (end.why == ProgramEnd::Why::cannot_start)
      refuse_worker_program(program_, "cannot be started: " + system_text(end.error));
    if (report && report->stage == replay::Stage::done) return {capsule_, expected_, *report};
    if (report && report->stage == replay::Stage::refused) refuse(*report->refusal);
    if (end.why == ProgramEnd::Why::told_to_end)
      raise(ErrorCode::interrupted, "the replay was ended before the run had");
    if (has_debugger()) refuse_early_end_of_debugger(end, report.has_value());
    if (end.why == ProgramEnd::Why::silent)
      refuse_worker_program(
          program_, fmt::format("has not come to worker_main within {} s, and was ended", kHelloMax.count()));
    if (!report) refuse_stranger(end);
    if (report->stage == replay::Stage::hello)
      raise(ErrorCode::interrupted,
            fmt::format("the program ended before the run had begun: {}", text_of(end.exit)));
    return {capsule_, expected_, *report, text_of(end.exit)};
  }

  [[noreturn]] void refuse(const Failure& refusal) const {
    if (refusal.code == ErrorCode::unknown_kind)
      refuse_worker_program(program_, "has no handler for " + escaped(capsule_.head.job.kind));
    raise(refusal);
  }

  [[noreturn]] void refuse_stranger(const ProgramEnd& end) const {
    refuse_worker_program(
        program_,
        fmt::format("ended ({}) without a word of worker_main: it is no worker program of Tenure, or "
                    "one of a version that knows no replays, or it ended before",
                    text_of(end.exit)));
  }

  [[noreturn]] static void refuse_early_end_of_debugger(const ProgramEnd& end, bool has_begun) {
    constexpr int kNotFound = 127;  // as a shell says it
    if (!has_begun && end.exit == queue::ProcessExit{queue::ProcessExit::By::code, kNotFound})
      raise(ErrorCode::bad_options, "--debugger: it cannot be started; install it, or name another one");
    raise(ErrorCode::interrupted, has_begun
                                      ? "the debugger was left before the run had ended"
                                      : "the debugger was left before the program had come to worker_main");
  }

  [[nodiscard]] ExitCode tell(const ReplayVerdict& verdict, const std::filesystem::path& scratch) {
    if (session_.json()) session_.print_json(verdict.json(file_, session_.has("keep") ? scratch : ""));
    else session_.print(verdict.text(session_.style()));
    const replay::ReplayReport& report = verdict.report;
    if (report.program_version != capsule_.head.program_version)
      session_.note(fmt::format("the run was of program version {}, its replay of {}",
                                escaped(capsule_.head.program_version), escaped(report.program_version)));
    if (session_.has("from")) refuse_unknown_step(verdict);
    return verdict.is_as_expected() ? ExitCode::done : ExitCode::refused;
  }

  void refuse_unknown_step(const ReplayVerdict& verdict) const {
    const auto& steps = verdict.report.steps;
    if (!verdict.ended.empty() || std::ranges::find(steps, session_.option("from")) != steps.end()) return;
    raise(ErrorCode::bad_options, fmt::format("--from {}: the run has begun no such step, {}",
                                              quoted_step(session_.option("from")), steps_text(steps)));
  }

  Session& session_;
  std::filesystem::path program_;
  std::filesystem::path file_;
  replay::Capsule capsule_;
  replay::Expectation expected_;
};

}  // namespace

ExitCode replay_run(Session& session) { return ReplayRun(session).run(); }

}  // namespace tenure::cli
