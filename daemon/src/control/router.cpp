#include "router.hpp"

#include "view_json.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace tenure::daemon::control {
namespace {

// One request under way.
struct Call {
  const Request& request;
  const Asker& asker;
  Controlled& daemon;
  DaemonView view;
  std::string_view number;  // that stands for * in the path
};

// An answer in place of what was asked for.
using Refused = std::optional<Response>;

// `known`: words with blanks between them.
Refused refuse_others(const Request::Texts& texts, std::string_view known) {
  const std::vector<std::string> words = split(known, ' ');
  for (const auto& [name, value] : texts)
    if (name.empty() || std::ranges::find(words, name) == words.end())
      return refusal(400, "BadRequest", fmt::format("{} means nothing here", escaped(name, 64)));
  return std::nullopt;
}

// The pool that the body names; nothing: all of them.
Refused find_pool(const Call& call, std::optional<std::size_t>& pool) {
  const auto named = call.request.body.find("pool");
  if (named == call.request.body.end()) return std::nullopt;
  const auto found = std::ranges::find(call.view.pools, named->second, &PoolStatus::name);
  if (found == call.view.pools.end())
    return refusal(404, "PoolNotFound", fmt::format("there is no pool {}", escaped(named->second, 64)));
  pool = static_cast<std::size_t>(found - call.view.pools.begin());
  return std::nullopt;
}

const WorkerView* find_worker(const Call& call) {
  std::int64_t number = 0;
  const char* const end = call.number.data() + call.number.size();
  const auto [rest, error] = std::from_chars(call.number.data(), end, number);
  if (error != std::errc{} || rest != end) return nullptr;
  const auto found = std::ranges::find(call.view.workers, ProcessNumber{number},
                                       [](const WorkerView& worker) { return worker.status.number; });
  return found == call.view.workers.end() ? nullptr : &*found;
}

Response no_such_worker(const Call& call) {
  return refusal(404, "ProcessNotFound",
                 fmt::format("there is no worker process {}; tenure worker list shows their numbers",
                             escaped(call.number, 32)));
}

Refused refuse_by_hand(const Call& call) {
  if (call.view.can_replace) return std::nullopt;
  return refusal(409, "StartedByHand",
                 "this worker program was started by hand: no other process can take its place; stop it and "
                 "start it again");
}

Response list_workers(Call& call) { return {200, worker_list_json(call.view)}; }

Response show_worker(Call& call) {
  const WorkerView* const worker = find_worker(call);
  return worker == nullptr ? no_such_worker(call) : Response{200, worker_show_json(call.view, *worker)};
}

Response tell_activity(Call& call) { return {200, activity_json(call.view, call.daemon.activity())}; }

// A member of the query that must be a whole number from `min` to `max`.
Refused read_number(const Call& call, std::string_view name, std::int64_t min, std::int64_t max,
                    std::int64_t& number) {
  const auto given = call.request.query.find(name);
  const std::string_view text = given == call.request.query.end() ? std::string_view{} : given->second;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (!text.empty() && error == std::errc{} && rest == end && number >= min && number <= max)
    return std::nullopt;
  return refusal(400, "BadRequest", fmt::format("{} must be a whole number from {} to {}", name, min, max));
}

Response tell_turn(Call& call) {
  constexpr std::int64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t queue_number = 0, priority = 0, tenant = 0, kind = 0, ahead = 0;
  if (auto refused = read_number(call, "queue", 0, kNumberMax, queue_number)) return *refused;
  if (auto refused =
          read_number(call, "priority", limits::kPriorityHighest, limits::kPriorityLowest, priority))
    return *refused;
  if (auto refused = read_number(call, "tenant", 0, kNumberMax, tenant)) return *refused;
  if (auto refused = read_number(call, "kind", 0, kNumberMax, kind)) return *refused;
  if (auto refused = read_number(call, "ahead", 0, queue::kWayAheadMax, ahead)) return *refused;
  const queue::Lane lane{queue::QueueNumber{queue_number}, queue::Priority{static_cast<int>(priority)},
                         TenantNumber{tenant}, queue::KindNumber{kind}};
  return {200, turn_json(call.view.pools, call.daemon.turns(lane, ahead))};
}

Response change_quiet(Call& call, std::string_view schema, bool is_quiet) {
  std::optional<std::size_t> pool;
  if (auto refused = find_pool(call, pool)) return *refused;
  if (is_quiet) call.daemon.ask(QuietAsked{pool, call.asker.uid});
  else call.daemon.ask(ResumeAsked{pool, call.asker.uid});
  return {200, pools_json(schema, call.daemon.view().pools, pool)};
}

Response quiet_pools(Call& call) { return change_quiet(call, "tenure.worker.quiet/1", true); }
Response resume_pools(Call& call) { return change_quiet(call, "tenure.worker.resume/1", false); }

Response drain_worker(Call& call) {
  if (auto refused = refuse_by_hand(call)) return *refused;
  const WorkerView* const worker = find_worker(call);
  if (worker == nullptr) return no_such_worker(call);
  const ProcessStatus& status = worker->status;
  if (status.phase != Phase::ready)
    return refusal(409, "StateChanged",
                   fmt::format("the worker process {} {}", status.number.value, phase_text(status.phase)));
  call.daemon.ask(DrainAsked{status.number, call.asker.uid});
  return {200, processes_json("tenure.worker.drain/1", {status.number})};
}

Response recycle_pools(Call& call) {
  if (auto refused = refuse_by_hand(call)) return *refused;
  std::optional<std::size_t> pool;
  if (auto refused = find_pool(call, pool)) return *refused;
  std::vector<ProcessNumber> processes;
  for (const WorkerView& worker : call.view.workers)
    if ((!pool || worker.status.pool == *pool) && !worker.status.is_replaced)
      processes.push_back(worker.status.number);
  call.daemon.ask(RecycleAsked{pool, call.asker.uid});
  return {200, processes_json("tenure.worker.recycle/1", processes)};
}

Response dump_workers(Call& call) {
  std::vector<ProcessNumber> processes;
  for (const WorkerView& worker : call.view.workers) processes.push_back(worker.status.number);
  call.daemon.ask(DescriptionAsked{});
  return {200, processes_json("tenure.worker.dump/1", processes)};
}

Response reload_configuration(Call& call) {
  const Reloaded reloaded = call.daemon.reload();
  if (reloaded.refused)
    return refusal(422, "ConfigurationRefused",
                   fmt::format("the configuration cannot be used, and the one before stays in force: {}",
                               reloaded.refused->text()));
  return {200, reload_json(reloaded)};
}

Response tell_journal(Call& call) { return {200, journal_json(call.daemon.journal())}; }

Response dump_journal(Call& call) {
  const journal::Dump dump = call.daemon.dump_journal();
  if (dump.state == journal::Dump::State::writing) return {200, journal_dump_json(dump)};
  return refusal(409, "JournalNotWritten", dump.error);
}

struct Route {
  Method method;
  std::string_view path;     // * stands for a number
  std::string_view members;  // that the body of a POST may have, or the query of a GET
  bool of_holder_only;
  Response (*answer)(Call& call);
};

constexpr std::array kRoutes{
    Route{Method::get, "/workers", "", false, list_workers},
    Route{Method::get, "/workers/*", "", true, show_worker},
    Route{Method::get, "/activity", "", true, tell_activity},
    Route{Method::get, "/turn", "queue priority tenant kind ahead", true, tell_turn},
    Route{Method::post, "/workers/quiet", "pool", true, quiet_pools},
    Route{Method::post, "/workers/resume", "pool", true, resume_pools},
    Route{Method::post, "/workers/recycle", "pool", true, recycle_pools},
    Route{Method::post, "/workers/dump", "", true, dump_workers},
    Route{Method::post, "/workers/*/drain", "", true, drain_worker},
    Route{Method::get, "/journal", "", true, tell_journal},
    Route{Method::post, "/journal/dump", "", true, dump_journal},
    Route{Method::post, "/config/reload", "", false, reload_configuration},
};

// Whether a path is the route's, and what stands in it for the number.
bool fits(std::string_view pattern, std::string_view path, std::string_view& number) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == path;
  const std::string_view front = pattern.substr(0, star);
  const std::string_view back = pattern.substr(star + 1);
  if (path.size() <= front.size() + back.size() || !path.starts_with(front) || !path.ends_with(back))
    return false;
  number = path.substr(front.size(), path.size() - front.size() - back.size());
  return std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Response Router::answer(const Request& request, const Asker& asker) {
  bool is_known = false;
  for (const Route& route : kRoutes) {
    std::string_view number;
    if (!fits(route.path, request.path, number)) continue;
    is_known = true;
    if (route.method != request.method) continue;
    const bool is_get = route.method == Method::get;
    if (auto refused = refuse_others(request.body, is_get ? "" : route.members)) return *refused;
    if (auto refused = refuse_others(request.query, is_get ? route.members : "")) return *refused;
    Call call{request, asker, daemon_, daemon_.view(), number};
    if (route.of_holder_only && !call.view.holder.empty())
      return refusal(503, "StandingBy",
                     fmt::format("this daemon stands by and has no worker processes: {}", call.view.holder));
    return route.answer(call);
  }
  if (is_known)
    return refusal(405, "MethodNotAllowed",
                   fmt::format("{} is not for {}", escaped(request.path), name_of(request.method)));
  return refusal(404, "UnknownPath", fmt::format("there is nothing at {}", escaped(request.path)));
}

}  // namespace tenure::daemon::control
