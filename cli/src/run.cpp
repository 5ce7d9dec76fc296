#include "commands.hpp"
#include "daemon_answer.hpp"
#include "session.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/exception_text.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/cli/run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace tenure::cli {
namespace {

constexpr std::size_t kErrorShown = 2000;  // bytes

std::string error_json(std::string_view name, const Failure& failure, ExitCode code) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("error").begin_object().key("code").string(name);
  writer.key("message").string(to_utf8(failure.message)).key("tenant").string(to_utf8(failure.tenant));
  writer.key("where")
      .string(to_utf8(failure.where))
      .key("exit")
      .integer(number_of(code))
      .end_object()
      .end_object();
  return json::printable(out);
}

// One line, whatever the message holds; its first word is the name of the error.
std::string error_text(const Failure& failure) { return "tenure: " + escaped(failure.text(), kErrorShown); }

class Run {
 public:
  Run(std::span<const std::string> arguments, Output& output, Environment& environment)
      : arguments_(arguments), output_(output), environment_(environment) {
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    json_ = std::find(arguments.begin(), end, "--json") != end;
  }

  ExitCode run() {
    CommandLine line = value_or_raise(parse_command_line(arguments_, option_specs()));
    configure_log(line);
    if (line.has("version")) return print_text("tenure.version/1", "tenure " TENURE_VERSION "\n");
    write_out(line.words);
    const std::vector<std::string> words = line.words;
    if (words.empty()) return help(line.has("help"), overview_text());
    const Noun& noun = find_noun(words[0]);
    if (words.size() == 1) return help(line.has("help"), noun_help(noun));
    const Verb& verb = find_verb(noun, words[1]);
    if (line.has("help")) return print_text("tenure.help/1", verb_help(verb));
    check(verb, line, words.size() - 2);
    const bool draws_again = verb.draws_again != nullptr && verb.draws_again(environment_, line);
    if (line.has("watch") && !draws_again) return watch(verb, line, std::span(words).subspan(2));
    Session session(std::move(line), verb, std::span(words).subspan(2), output_, environment_);
    return verb.run(session);
  }

  ExitCode fail_with(const Failure& failure) {
    const ExitCode code = exit_code_of(failure.code);
    output_.message((json_ ? error_json(name_of(failure.code), failure, code) : error_text(failure)) + '\n');
    return code;
  }

  // By a name that is no code of the library.
  ExitCode says_no(const std::string& name, const std::string& message, ExitCode code) {
    output_.message((json_ ? error_json(name, {.message = message}, code)
                           : "tenure: " + escaped(name + ": " + message, kErrorShown)) +
                    '\n');
    return code;
  }

  ExitCode output_closed() {
    const Failure failure{
        ErrorCode::internal,
        "standard output is closed or full; what was asked for was done, and its answer is lost"};
    output_.message((json_ ? error_json("OutputClosed", failure, ExitCode::refused)
                           : "tenure: OutputClosed: " + failure.message) +
                    '\n');
    return ExitCode::refused;
  }

 private:
  // Lines of the libraries stand between our own messages; with --json they have no place.
  void configure_log(const CommandLine& line) const {
    if (json_) return log::silence();
    log::configure({.level = line.has("quiet") ? log::Level::error : log::Level::warning});
  }

  // Over and over, until something is refused or --fail-if-any met something. The store stays open.
  ExitCode watch(const Verb& verb, const CommandLine& line, std::span<const std::string> words) {
    const std::chrono::milliseconds every = watch_interval(line.value("watch"));
    Environment environment = environment_;
    std::shared_ptr<queue::ReadableStore> store;
    environment.look_at_store = [&](const std::filesystem::path& path) {
      if (!store) store = environment_.look_at_store(path);
      return store;
    };
    const bool clears = environment_.data_is_terminal && !json_ && variable(environment_, "TERM") != "dumb";
    for (bool first = true;; first = false) {
      Session session(line, verb, words, output_, environment);
      if (clears) session.print("\x1b[H\x1b[2J");
      else if (!first && !json_) session.print("\n");
      const ExitCode code = verb.run(session);
      if (code != ExitCode::done || !environment_.pause(every)) return code;
    }
  }

  ExitCode print_text(std::string_view schema, const std::string& text) {
    if (!output_.data(json_ ? text_document(schema, text) : text)) throw OutputClosed{};
    return ExitCode::done;
  }

  // Help that was asked for is data; help in place of a command is a message.
  ExitCode help(bool asked, const std::string& text) {
    if (asked) return print_text("tenure.help/1", text);
    if (json_) raise(ErrorCode::bad_options, "a noun and a verb are needed; see tenure --help");
    output_.message(text);
    return ExitCode::usage;
  }

  static void check(const Verb& verb, const CommandLine& line, std::size_t words) {
    for (const auto& [option, value] : line.options)
      if (!takes(verb, option))
        raise(ErrorCode::bad_options,
              fmt::format("--{} means nothing to tenure {} {}", option, verb.noun, verb.name));
    if (words < verb.words_min)
      raise(ErrorCode::bad_options, fmt::format("tenure {} {} needs {}; for example: {}", verb.noun,
                                                verb.name, verb.words, verb.example));
    if (words > verb.words_max)
      raise(ErrorCode::bad_options,
            fmt::format("tenure {} {} takes {} after it, not '{}'", verb.noun, verb.name,
                        verb.words_max == 0 ? "nothing" : "one " + std::string(verb.words),
                        escaped(line.words[2 + verb.words_max], 64)));
  }

  std::span<const std::string> arguments_;
  Output& output_;
  Environment& environment_;
  bool json_ = false;
};

}  // namespace

int run_cli(std::span<const std::string> arguments, Output& output, Environment& environment) {
  Run run(arguments, output, environment);
  ExitCode code = ExitCode::refused;
  try {
    code = run.run();
  } catch (const OutputClosed&) {
    code = run.output_closed();
  } catch (const DaemonSaysNo& no) {
    code = run.says_no(no.name, no.message, no.code);
  } catch (const Refused& no) {
    code = run.says_no(no.name, no.message, ExitCode::refused);
  } catch (const Error& error) {
    code = run.fail_with(error.failure());
  } catch (const std::system_error& error) {
    code = run.fail_with({error_code_of_system(error.code().value()), error.what()});
  } catch (const std::bad_alloc&) {
    code = run.fail_with({ErrorCode::out_of_memory, "there is not enough memory"});
  } catch (const std::exception& error) {
    code = run.fail_with({ErrorCode::internal, tenure::text_of(error)});
  }
  return number_of(code);
}

}  // namespace tenure::cli
