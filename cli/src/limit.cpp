#include "limit_text.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

// Limits that are declared beside the jobs: how they stand, and what an operator sets.
namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::LimitRecord;
using queue::LimitStanding;

constexpr std::size_t kStandingsShown = 100;

struct LimitRow {
  LimitRecord limit;
  std::vector<LimitStanding> fullest;  // of those that are counted together, the first
};

std::int64_t running_of(const LimitRow& row) {
  return row.fullest.empty() ? 0 : row.fullest.front().use.running;
}

std::string gate_text(const LimitStanding& standing, const ShowStyle& style) {
  const JobReason gate = standing.gate();
  if (gate == JobReason::limit_cap) return "full";
  return gate == JobReason::none ? "open" : "next " + full_time_text(standing.use.next_start, style);
}

std::string set_text(const LimitRecord& limit, const ShowStyle& style) {
  if (!limit.set) return "";
  const std::string who =
      limit.set->login.empty() ? fmt::format("uid {}", limit.set->uid) : escaped(limit.set->login);
  return fmt::format("{} by {}, {}{}", bounds_text(limit.set->bounds), who,
                     full_time_text(limit.set->when, style),
                     limit.set->reason.empty() ? "" : ": " + escaped(limit.set->reason, 1024));
}

constexpr std::array kLimitColumns{
    ListColumn<LimitRow>{"limit", "LIMIT",
                         [](const LimitRow& r, const ShowStyle&) { return escaped(r.limit.name); }, false,
                         true},
    ListColumn<LimitRow>{"allows", "ALLOWS",
                         [](const LimitRow& r, const ShowStyle&) { return bounds_text(r.limit.bounds()); }},
    ListColumn<LimitRow>{"of", "OF",
                         [](const LimitRow& r, const ShowStyle&) { return target_text(r.limit.target); }},
    ListColumn<LimitRow>{"running", "RUNNING",
                         [](const LimitRow& r, const ShowStyle& s) { return number_text(running_of(r), s); },
                         true},
    ListColumn<LimitRow>{"fullest", "FULLEST",
                         [](const LimitRow& r, const ShowStyle& s) -> std::string {
                           if (r.fullest.empty()) return "-";
                           const std::string who = counted_text(r.fullest.front());
                           return (who.empty() ? "" : who + ", ") + gate_text(r.fullest.front(), s);
                         }},
    ListColumn<LimitRow>{"set", "SET",
                         [](const LimitRow& r, const ShowStyle& s) { return set_text(r.limit, s); }},
};

void write_row(json::Writer& writer, const LimitRow& row, WallTime) {
  writer.begin_object().key("limit");
  write_limit(writer, row.limit);
  writer.key("fullest");
  if (row.fullest.empty()) writer.null();
  else write_standing(writer, row.fullest.front());
  writer.end_object();
}

LimitRecord find_limit(const std::vector<LimitRecord>& all, std::string_view name) {
  std::vector<std::string_view> names;
  for (const LimitRecord& limit : all) {
    if (limit.name == name) return limit;
    names.emplace_back(limit.name);
  }
  const auto near = nearest(name, names);
  raise(ErrorCode::record_not_found,
        fmt::format("there is no limit {}{}", escaped(name, 64),
                    near ? fmt::format("; did you mean {}?", escaped(*near)) : ""));
}

std::string line(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("{:<10}{}\n", name, value);
}

std::string shown_text(const LimitRecord& limit, const std::vector<LimitStanding>& standings,
                       const ShowStyle& style) {
  std::string out = line("limit", escaped(limit.name));
  out += line("of", target_text(limit.target));
  out += line("allows", bounds_text(limit.bounds()));
  out += line("declared", limit.declared ? bounds_text(*limit.declared) : "not in the configuration");
  out += line("set", set_text(limit, style));
  if (standings.empty()) return out + line("counted", "nothing runs or has started lately");
  for (const LimitStanding& each : standings) {
    const std::string who = counted_text(each);
    std::string counts = fmt::format("{} run", number_text(each.use.running, style));
    if (limit.bounds().rate) counts += fmt::format(", {} started", number_text(each.use.starts, style));
    out += line("counted",
                fmt::format("{}{}; {}", who.empty() ? "" : who + ": ", counts, gate_text(each, style)));
  }
  return out;
}

std::string shown_json(const LimitRecord& limit, const std::vector<LimitStanding>& standings) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.limit.show/1").key("item");
  write_limit(writer, limit);
  writer.key("counted").begin_array();
  for (const LimitStanding& each : standings) write_standing(writer, each);
  writer.end_array().end_object();
  return out;
}

// "3", "100/1m".
queue::LimitBounds read_bounds(std::string_view text) {
  queue::LimitBounds bounds;
  if (text.find('/') != std::string_view::npos) {
    const auto rate = parse_start_rate(text);
    if (!rate) raise(ErrorCode::bad_options, fmt::format("'{}' {}", escaped(text, 64), rate.error().message));
    bounds.rate = *rate;
    return bounds;
  }
  std::int64_t running = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), running);
  if (error != std::errc{} || end != text.data() + text.size() || running < 1 || running > queue::kCapMax)
    raise(ErrorCode::bad_options,
          fmt::format("'{}' is no limit: write how many run, as in 3, or a rate of starts, as in 100/1m",
                      escaped(text, 64)));
  bounds.running = running;
  return bounds;
}

std::optional<queue::LimitTarget> read_target(const Session& session) {
  if (!session.has("kind") && !session.has("queue") && !session.has("per")) return std::nullopt;
  queue::LimitTarget target;
  if (session.has("kind")) target.kind = session.option("kind");
  if (session.has("queue")) target.queue = session.option("queue");
  const auto per = queue::parse_limit_per(session.option("per"));
  if (!per)
    raise(ErrorCode::bad_options, fmt::format("--per {}: tenant, kind, queue, or several of them, as in "
                                              "tenant,kind; or key",
                                              escaped(session.option("per"), 64)));
  target.per = *per;
  return target;
}

// Nothing of it is kept.
struct TriedLimit {};

void change_limit(Session& session, std::string subject, FunctionRef<void(queue::StoreWriter&)> work) {
  try {
    session.change([&](queue::StoreWriter& writer) {
      work(writer);
      if (session.has("dry-run")) throw TriedLimit{};
      return Changed{1, subject};
    });
    session.wake();
  } catch (const TriedLimit&) {  // the store has looked at it and takes it back
  }
}

void print_changed(Session& session, std::string_view verb, const std::string& name,
                   const std::string& what) {
  const bool is_dry = session.has("dry-run");
  if (!session.json())
    return session.print(fmt::format("{}{} limit {}{}\n", is_dry ? "would have " : "", verb, escaped(name),
                                     what.empty() ? "" : ": " + what));
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(fmt::format("tenure.limit.{}/1", verb));
  write_text(writer, "name", name);
  write_text(writer, "allows", what);
  writer.key("dry_run").boolean(is_dry).end_object();
  session.print_json(out);
}

}  // namespace

ExitCode limit_list(Session& session) {
  const std::size_t limit = session.limit();
  std::vector<LimitRow> rows;
  session.readable_store().read([&](queue::JobReader& reader) {
    for (LimitRecord& each : reader.limits()) {
      auto fullest = reader.limit_standings(each.number, 1);
      rows.push_back({std::move(each), std::move(fullest)});
    }
  });
  const ListTotal total =
      take_page(session, limit, "limit", rows, [](const LimitRow& row) { return row.limit.name; });
  return print_list<LimitRow>(session, "tenure.limit.list/1", {"limit", "limits"}, kLimitColumns, rows, total,
                              write_row);
}

ExitCode limit_show(Session& session) {
  LimitRecord limit;
  std::vector<LimitStanding> standings;
  session.readable_store().read([&](queue::JobReader& reader) {
    limit = find_limit(reader.limits(), session.words().front());
    standings = reader.limit_standings(limit.number, kStandingsShown);
  });
  if (session.json()) session.print_json(shown_json(limit, standings));
  else session.print(shown_text(limit, standings, session.style()));
  return ExitCode::done;
}

ExitCode limit_set(Session& session) {
  const std::string& name = session.words()[0];
  queue::NewLimit limit{.name = name,
                        .target = read_target(session),
                        .uid = session.who().uid,
                        .login = session.who().login,
                        .reason = std::string(session.option("reason"))};
  for (const std::string& word : session.words().subspan(1)) {
    const queue::LimitBounds bounds = read_bounds(word);
    if (bounds.running) limit.bounds.running = bounds.running;
    if (bounds.rate) limit.bounds.rate = bounds.rate;
  }
  const std::string what = bounds_text(limit.bounds);
  change_limit(session, fmt::format("limit {}, {}", escaped(name), what), [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.set_limit(limit, session.now())));
  });
  print_changed(session, "set", name, what);
  return ExitCode::done;
}

ExitCode limit_unset(Session& session) {
  const std::string& name = session.words().front();
  change_limit(session, fmt::format("limit {}", escaped(name)),
               [&](queue::StoreWriter& writer) { value_or_raise(writer.unset_limit(name)); });
  print_changed(session, "unset", name, "");
  return ExitCode::done;
}

}  // namespace tenure::cli
