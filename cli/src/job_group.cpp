#include "filter_text.hpp"
#include "job.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

// Jobs counted by what they have in common, each group with the filter that finds it.
namespace tenure::cli {
namespace {

using queue::JobRecord;

constexpr std::size_t kShapesMax = 10'000;   // that are kept apart; jobs of further ones are counted together
constexpr std::size_t kErrorShapeMax = 200;  // bytes of an error that make its shape

// What jobs are grouped by.
struct GroupField {
  std::string_view name;
  std::string_view title;
  std::string (*value)(const JobRecord& job);
};

// Its first line: what stands behind it is often of that one run.
std::string error_shape(const JobRecord& job) {
  const std::string_view error = job.error;
  return std::string(cut_utf8(error.substr(0, error.find('\n')), kErrorShapeMax));
}

constexpr std::array kGroupFields{
    GroupField{"kind", "KIND", [](const JobRecord& j) { return j.kind; }},
    GroupField{"error", "ERROR", error_shape},
    GroupField{"tenant", "TENANT",
               [](const JobRecord& j) { return j.tenant ? j.tenant->text() : std::string("none"); }},
    GroupField{"queue", "QUEUE", [](const JobRecord& j) { return j.queue; }},
    GroupField{"state", "STATE", [](const JobRecord& j) { return std::string(name_of(j.state)); }},
    GroupField{"reason", "REASON", [](const JobRecord& j) { return std::string(name_of(j.reason)); }},
};

struct Group {
  std::vector<std::string> values;  // of the fields that were asked for
  std::int64_t jobs = 0;
  WallTime first_seen = WallTime::max();
  WallTime last_seen = WallTime::min();
  bool is_cut = false;  // an error of it was longer than its shape
  std::string filter;
};

struct Groups {
  std::vector<Group> groups;
  std::int64_t others = 0;  // jobs of groups that are not kept apart
  ListTotal total;
};

std::vector<const GroupField*> chosen_fields(const Session& session) {
  std::vector<std::string_view> names;
  for (const GroupField& field : kGroupFields) names.push_back(field.name);
  std::vector<const GroupField*> chosen;
  for (const std::string& word : split(session.has("by") ? session.option("by") : "kind,error", ',')) {
    const auto found = std::ranges::find(names, word);
    if (found == names.end()) refuse_word("field to group by", word, names);
    const auto* const field = &kGroupFields[static_cast<std::size_t>(found - names.begin())];
    if (std::ranges::find(chosen, field) == chosen.end()) chosen.push_back(field);
  }
  return chosen;
}

// When what is told of a job came about.
WallTime seen(const JobRecord& job) { return job.finished.value_or(job.created); }

class Grouping {
 public:
  explicit Grouping(const std::vector<const GroupField*>& fields) : fields_(fields) {}

  void add(const JobRecord& job) {
    std::string key;
    for (const GroupField* field : fields_) (key += field->value(job)) += '\0';
    const auto found = places_.find(key);
    if (found == places_.end() && result_.groups.size() == kShapesMax)
      return static_cast<void>(++result_.others);
    const std::size_t place = found == places_.end() ? begin_group(std::move(key), job) : found->second;
    Group& group = result_.groups[place];
    ++group.jobs;
    group.first_seen = std::min(group.first_seen, seen(job));
    group.last_seen = std::max(group.last_seen, seen(job));
    group.is_cut = group.is_cut || error_shape(job).size() < job.error.size();
  }
  Groups take() { return std::move(result_); }

 private:
  std::size_t begin_group(std::string&& key, const JobRecord& job) {
    Group group;
    for (const GroupField* field : fields_) group.values.push_back(field->value(job));
    result_.groups.push_back(std::move(group));
    places_.emplace(std::move(key), result_.groups.size() - 1);
    return result_.groups.size() - 1;
  }

  const std::vector<const GroupField*>& fields_;
  std::unordered_map<std::string, std::size_t> places_;
  Groups result_;
};

std::string filter_of_group(const Session& session, const std::vector<const GroupField*>& fields,
                            const Group& group, bool leaves_out_succeeded) {
  std::vector<std::string> terms(session.words().begin(), session.words().end());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool is_cut = fields[i]->name == "error" && group.is_cut;
    std::string term = is_cut ? term_of_prefix(fields[i]->name, group.values[i])
                              : exact_term(fields[i]->name, group.values[i]);
    if (std::ranges::find(terms, term) == terms.end()) terms.push_back(std::move(term));
  }
  // Without that the same words would find succeeded jobs that had failed before.
  if (leaves_out_succeeded &&
      std::ranges::find(fields, std::string_view("state"), &GroupField::name) == fields.end())
    terms.emplace_back("state!=succeeded");
  return shell_text(terms);
}

Groups group_jobs(Session& session, const std::vector<const GroupField*>& fields) {
  const queue::Filter asked = session.filter(queue::job_filter_fields());
  const queue::Filter filter = without_succeeded(asked);
  const queue::ListOptions options{.limit = static_cast<std::size_t>(kCountMax) + 1,
                                   .looks_max = looks_max(session)};
  Grouping grouping(fields);
  std::int64_t jobs = 0;
  bool left_out = false;
  session.readable_store().read([&](queue::JobReader& reader) {
    left_out = reader.visit_jobs(filter, options, session.now(), [&](const JobRecord& job) {
      if (++jobs > kCountMax) return false;
      grouping.add(job);
      return true;
    });
  });
  Groups found = grouping.take();
  found.total = {.count = std::ssize(found.groups), .capped = jobs > kCountMax || found.others > 0};
  if (left_out) found.total.looked_at = options.looks_max;
  std::ranges::stable_sort(found.groups, std::ranges::greater{}, &Group::jobs);
  if (found.groups.size() > session.limit()) found.groups.resize(session.limit());
  for (Group& group : found.groups)
    group.filter = filter_of_group(session, fields, group, !names_states(asked));
  return found;
}

std::string groups_table(const Session& session, const std::vector<const GroupField*>& fields,
                         const Groups& found) {
  std::vector<TableColumn> columns{{.title = "JOBS", .right = true, .kept = true}};
  for (const GroupField* field : fields)
    columns.push_back({.title = std::string(field->title), .cut = field->name == "error"});
  columns.push_back({.title = "FIRST SEEN", .rank = 1});
  columns.push_back({.title = "LAST SEEN", .rank = 1});
  columns.push_back({.title = "FILTER", .rank = 2});
  std::vector<std::vector<std::string>> rows;
  for (const Group& group : found.groups) {
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(number_text(group.jobs, session.style()));
    for (const std::string& value : group.values) row.push_back(value.empty() ? "-" : escaped(value));
    row.push_back(time_text(group.first_seen, session.style()));
    row.push_back(time_text(group.last_seen, session.style()));
    row.push_back(escaped(group.filter, kArgumentMax));
  }
  return table_text(columns, rows, session.table_style());
}

std::string groups_json(const std::vector<const GroupField*>& fields, const Groups& found) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.group/1").key("items").begin_array();
  for (const Group& group : found.groups) {
    writer.begin_object();
    for (std::size_t i = 0; i < fields.size(); ++i) write_text(writer, fields[i]->name, group.values[i]);
    writer.key("jobs").integer(group.jobs);
    write_time(writer, "first_seen", group.first_seen);
    write_time(writer, "last_seen", group.last_seen);
    write_text(writer, "filter", group.filter);
    writer.end_object();
  }
  writer.end_array().key("count").integer(found.total.count).key("capped").boolean(found.total.capped);
  writer.key("others").integer(found.others);
  if (found.total.looked_at) writer.key("looked_at").integer(*found.total.looked_at);
  writer.end_object();
  return out;
}

}  // namespace

ExitCode job_group(Session& session) {
  const auto fields = chosen_fields(session);
  const Groups found = group_jobs(session, fields);
  if (session.json()) {
    session.print_json(groups_json(fields, found));
  } else {
    if (!found.groups.empty()) session.print(groups_table(session, fields, found));
    const auto shown = std::ssize(found.groups);
    session.note(shown == found.total.count
                     ? counted(shown, "group", session.style())
                     : fmt::format("{} of {}", number_text(shown, session.style()),
                                   counted(found.total.count, "group", session.style())));
    if (found.total.capped)
      session.note(fmt::format("not all jobs are in them: it stops after {} jobs, and keeps {} groups apart",
                               number_text(kCountMax, session.style()),
                               number_text(kShapesMax, session.style())));
    note_scan(session, found.total);
  }
  return session.has("fail-if-any") && found.total.count > 0 ? ExitCode::refused : ExitCode::done;
}

}  // namespace tenure::cli
