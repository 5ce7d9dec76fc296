#include "daemon_answer.hpp"
#include "listing.hpp"
#include "nouns.hpp"
#include "quiet_pools.hpp"
#include "worker_state.hpp"

#include <tenure/base/json_copy.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace tenure::cli {
namespace {

using json::Value;

std::string processes_text(std::int64_t count, const ShowStyle& style) {
  return number_text(count, style) + (count == 1 ? " process" : " processes");
}

// "48 s" on a terminal, else seconds.
std::string length_text(std::int64_t length_ms, const ShowStyle& style) {
  const std::chrono::milliseconds length{length_ms};
  return style.terminal ? duration_text(length)
                        : fmt::format("{:.1f}", std::chrono::duration<double>(length).count());
}

std::string busy_text(const Value& worker, const ShowStyle& style) {
  return fmt::format("{}/{}", number_text(number_in(worker, "performing"), style),
                     number_text(number_in(worker, "slots"), style));
}

constexpr std::array kWorkerColumns{
    ListColumn<Value>{
        "process", "PROCESS",
        [](const Value& w, const ShowStyle&) { return std::to_string(number_in(w, "process")); }, true, true},
    ListColumn<Value>{"pool", "POOL",
                      [](const Value& w, const ShowStyle&) { return escaped(text_in(w, "pool")); }, false,
                      true},
    ListColumn<Value>{"pid", "PID",
                      [](const Value& w, const ShowStyle&) { return std::to_string(number_in(w, "pid")); },
                      true},
    ListColumn<Value>{"state", "STATE",
                      [](const Value& w, const ShowStyle&) { return escaped(worker_state(w)); }},
    ListColumn<Value>{"busy", "BUSY", busy_text, true},
    ListColumn<Value>{
        "ahead", "AHEAD",
        [](const Value& w, const ShowStyle& s) { return number_text(number_in(w, "ahead"), s); }, true},
    ListColumn<Value>{
        "performed", "PERFORMED",
        [](const Value& w, const ShowStyle& s) { return number_text(number_in(w, "performed"), s); }, true},
    ListColumn<Value>{"memory", "MEMORY",
                      [](const Value& w, const ShowStyle& s) {
                        const std::int64_t bytes = number_in(w, "memory_bytes");
                        return bytes == 0 ? "-" : bytes_text(bytes, s);
                      },
                      true},
    ListColumn<Value>{
        "up", "UP", [](const Value& w, const ShowStyle& s) { return length_text(number_in(w, "up_ms"), s); },
        true},
    ListColumn<Value>{"version", "VERSION",
                      [](const Value& w, const ShowStyle&) { return escaped(text_in(w, "program_version")); },
                      false, false, true, true},
};

constexpr std::array kHeldJobColumns{
    ListColumn<Value>{"id", "JOB", [](const Value& j, const ShowStyle&) { return escaped(text_in(j, "id")); },
                      false, true},
    ListColumn<Value>{"state", "STATE",
                      [](const Value& j, const ShowStyle&) { return escaped(text_in(j, "state")); }},
    ListColumn<Value>{"kind", "KIND",
                      [](const Value& j, const ShowStyle&) { return escaped(text_in(j, "kind")); }, false,
                      false, true, true},
    ListColumn<Value>{"tenant", "TENANT",
                      [](const Value& j, const ShowStyle&) {
                        const std::string tenant = text_in(j, "tenant");
                        return tenant.empty() ? std::string("none") : escaped(tenant);
                      }},
    ListColumn<Value>{"since", "FOR",
                      [](const Value& j, const ShowStyle& s) {
                        return text_in(j, "since").empty() ? std::string("-")
                                                           : length_text(number_in(j, "running_ms"), s);
                      },
                      true},
};

constexpr std::array<std::string_view, 9> kWorkerSortFields{"process", "pool",      "pid",    "state", "busy",
                                                            "ahead",   "performed", "memory", "up"};

std::int64_t sort_key(const Value& worker, std::string_view field) {
  if (field == "busy") return number_in(worker, "performing");
  if (field == "memory") return number_in(worker, "memory_bytes");
  return number_in(worker, field == "up" ? "up_ms" : field);
}

void sort(std::vector<Value>& workers, const SortOrder& order) {
  std::ranges::stable_sort(workers, [&](const Value& a, const Value& b) {
    const Value& low = order.descending ? b : a;
    const Value& high = order.descending ? a : b;
    if (order.field == "pool") return text_in(low, "pool") < text_in(high, "pool");
    if (order.field == "state") return worker_state(low) < worker_state(high);
    return sort_key(low, order.field) < sort_key(high, order.field);
  });
}

queue::WorkerRecord record_of(const Value& worker, std::string_view node) {
  return {.process = number_in(worker, "process"),
          .pid = number_in(worker, "pid"),
          .pool = text_in(worker, "pool"),
          .node = std::string(node),
          .state = worker_state(worker)};
}

std::vector<Value> matching_workers(const Value& body, const queue::Filter& filter) {
  const auto daemon = body.member("daemon");
  const std::string node = daemon ? text_in(*daemon, "node") : "";
  std::vector<Value> workers = elements_in(body, "items");
  std::erase_if(workers,
                [&](const Value& worker) { return !queue::matches(filter, record_of(worker, node)); });
  return workers;
}

void write_value(json::Writer& writer, const Value& value, WallTime) { json::copy(writer, value); }

std::string joined_texts(const Value& value, std::string_view member) {
  std::vector<std::string> texts;
  for (const Value& text : elements_in(value, member)) texts.push_back(escaped(text.string().value_or("")));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string reload_text(const Value& body) {
  const std::string taken = joined_texts(body, "taken_over");
  const std::string waiting = joined_texts(body, "waiting");
  std::string text =
      taken.empty() ? "nothing in it is different that a reload can take over" : "taken over: " + taken;
  for (const Value& replaced : elements_in(body, "replaced")) {
    const std::int64_t processes = number_in(replaced, "processes");
    text += fmt::format("\nreplaces {} process{} of {}: {}", processes, processes == 1 ? "" : "es",
                        escaped(text_in(replaced, "pool")),
                        truth_in(replaced, "new_program") ? "their program's file is another one"
                                                          : "what they have read is different");
  }
  return text + (waiting.empty() ? "" : "\nin force from the next start on: " + waiting);
}

// What an operator must know besides the processes: who stands by, what is quiet, and what waits.
void note_daemon(Session& session, const Value& body) {
  const auto daemon = body.member("daemon");
  if (const std::string waiting = daemon ? joined_texts(*daemon, "waiting") : ""; !waiting.empty())
    session.note("different in the configuration, and in force from the daemon's next start on: " + waiting);
  if (daemon && truth_in(*daemon, "standing_by"))
    session.note(fmt::format("pid {} answers and stands by: {}", number_in(*daemon, "pid"),
                             escaped(text_in(*daemon, "holder"))));
  for (const QuietPool& pool : quiet_pools_in(body)) session.note(text_of(pool) + ": " + command_of(pool));
}

void print_jobs(Session& session, const std::vector<Value>& jobs) {
  if (!jobs.empty()) session.print(list_table<Value>(kHeldJobColumns, jobs, session));
  session.note(counted(std::ssize(jobs), "job", session.style()));
}

// --- Changes.

std::string pool_path(std::string_view verb) { return fmt::format("/workers/{}", verb); }

std::vector<std::pair<std::string, std::string>> named_pool(const Session& session) {
  if (session.words().empty()) return {};
  return {{"pool", session.words().front()}};
}

std::string names_of_pools(const Value& body) {
  std::vector<std::string> names;
  for (const Value& pool : elements_in(body, "pools")) names.push_back(escaped(text_in(pool, "name")));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string numbers_of_processes(const Value& body) {
  std::vector<std::int64_t> numbers;
  for (const Value& process : elements_in(body, "processes"))
    numbers.push_back(process.integer().value_or(0));
  return fmt::format("{}", fmt::join(numbers, ", "));
}

// How many processes it concerns.
std::int64_t processes_concerned(Session& session) {
  const DaemonAnswer answer = ask_daemon(session, {.path = "/workers"});
  return std::ranges::count_if(elements_in(answer.body(), "items"), [&](const Value& worker) {
    return session.words().empty() || text_in(worker, "pool") == session.words().front();
  });
}

// Whether to go on: more than one process is asked about, unless --yes.
bool is_agreed(Session& session, std::string_view verb, std::int64_t processes) {
  if (session.has("yes") || processes < 2) return true;
  const std::string of_all = processes_text(processes, session.style());
  const auto answer =
      session.ask(fmt::format("{} {} of {}?", verb, of_all,
                              session.words().empty() ? "all pools" : escaped(session.words().front())));
  if (!answer)
    raise(
        ErrorCode::bad_options,
        fmt::format("{} are concerned: say --yes to {} them, since nobody can be asked here", of_all, verb));
  if (!*answer) session.note("nothing was done");
  return *answer;
}

// Prints the answer as it came, or in words.
ExitCode print_answer(Session& session, const DaemonAnswer& answer, std::string (*words)(const Value& body)) {
  if (session.json()) session.print_json(answer.text());
  else session.print(words(answer.body()) + '\n');
  return ExitCode::done;
}

// Recorded before the daemon is asked: what cannot be recorded is not done. That it has refused is recorded, too.
DaemonAnswer ask_for_change(Session& session, DaemonRequest request, std::int64_t count,
                            const std::string& subject) {
  session.change([&](queue::StoreWriter&) { return Changed{count, subject}; });
  try {
    return ask_daemon(session, request);
  } catch (const DaemonSaysNo& no) {
    session.change([&](queue::StoreWriter&) {
      return Changed{.count = 0,
                     .subject = fmt::format("{}: refused, {}: {}", subject, no.name, no.message),
                     .is_told_though_none = true};
    });
    throw;
  }
}

ExitCode change_pools(Session& session, std::string_view verb, std::string (*words)(const Value& body)) {
  const std::int64_t processes = processes_concerned(session);
  if (!is_agreed(session, verb, processes)) return ExitCode::refused;
  return print_answer(
      session,
      ask_for_change(session, {.method = "POST", .path = pool_path(verb), .body = named_pool(session)},
                     std::max<std::int64_t>(processes, 1),
                     session.words().empty() ? "all pools" : "pool " + session.words().front()),
      words);
}

std::string process_path(const Session& session, std::string_view verb) {
  const std::string& number = session.words().front();
  if (number.empty() || !std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }))
    raise(ErrorCode::bad_options,
          fmt::format("'{}' is no number of a worker process; tenure worker list shows them",
                      escaped(number, 64)));
  return fmt::format("/workers/{}{}", number, verb);
}

}  // namespace

ListWords worker_words() {
  return {queue::worker_filter_fields(), kWorkerSortFields, column_names<Value>(kWorkerColumns)};
}

ExitCode worker_list(Session& session) {
  const queue::Filter filter = session.filter(queue::worker_filter_fields());
  const auto order = sort_order(session, kWorkerSortFields);
  const std::size_t limit = session.limit();
  const DaemonAnswer answer = ask_daemon(session, {.path = "/workers"});
  const Value body = answer.body();
  std::vector<Value> workers = matching_workers(body, filter);
  if (order) sort(workers, *order);
  const ListTotal total = take_page(session, limit, "worker process", workers, [](const Value& worker) {
    return std::to_string(number_in(worker, "process"));
  });
  const ExitCode code =
      print_list<Value>(session, "tenure.worker.list/1", {"process", "processes"}, kWorkerColumns, workers,
                        total, write_value, [&](json::Writer& writer) {
                          for (const std::string_view member : {"pools", "daemon"})
                            if (const auto value = body.member(member))
                              json::copy(writer.key(member), *value);
                        });
  note_daemon(session, body);
  return code;
}

ExitCode worker_show(Session& session) {
  const DaemonAnswer answer = ask_daemon(session, {.path = process_path(session, "")});
  if (session.json()) {
    session.print_json(answer.text());
    return ExitCode::done;
  }
  const auto item = answer.body().member("item");
  if (!item) return ExitCode::done;
  session.print(list_table<Value>(kWorkerColumns, std::array{*item}, session));
  print_jobs(session, elements_in(*item, "jobs"));
  return ExitCode::done;
}

ExitCode worker_dump(Session& session) {
  return print_answer(session, ask_daemon(session, {.method = "POST", .path = "/workers/dump"}),
                      [](const Value& body) {
                        return fmt::format("the log has what the dispatcher and its processes do: {}",
                                           numbers_of_processes(body));
                      });
}

ExitCode worker_quiet(Session& session) {
  return change_pools(session, "quiet", [](const Value& body) {
    return fmt::format("quiet: {}; what runs goes on, and tenure worker resume ends it",
                       names_of_pools(body));
  });
}

ExitCode worker_resume(Session& session) {
  return change_pools(session, "resume", [](const Value& body) {
    return fmt::format("claiming again: {}", names_of_pools(body));
  });
}

ExitCode worker_recycle(Session& session) {
  return change_pools(session, "recycle", [](const Value& body) {
    return fmt::format("others take the places of these processes, one at a time in each pool: {}",
                       numbers_of_processes(body));
  });
}

ExitCode worker_drain(Session& session) {
  const std::string path = process_path(session, "/drain");
  return print_answer(
      session,
      ask_for_change(session, {.method = "POST", .path = path}, 1, "process " + session.words().front()),
      [](const Value& body) {
        return fmt::format("process {} ends when its jobs have, and another one takes its place",
                           numbers_of_processes(body));
      });
}

ExitCode config_reload(Session& session) {
  return print_answer(
      session,
      ask_for_change(session, {.method = "POST", .path = "/config/reload"}, 1, "the daemon's configuration"),
      reload_text);
}

}  // namespace tenure::cli
