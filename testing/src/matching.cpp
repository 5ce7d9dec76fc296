#include "matching.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/queue/envelope.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace tenure::testing::detail {
namespace {

constexpr std::size_t kNearestMax = 3;
constexpr std::size_t kShownBytesMax = 400;  // of one job's arguments

bool is_at(Stage stage, const queue::JobRecord& job) {
  switch (stage) {
    case Stage::waiting:
      return !job.finished;
    case Stage::performed:
      return job.state == queue::ShownState::succeeded;
  }
  return false;
}

std::string_view words_of(Stage stage) { return stage == Stage::waiting ? "enqueued" : "performed"; }

std::string shown(std::string_view arguments) {
  if (arguments.size() <= kShownBytesMax) return json::printable(arguments);
  return fmt::format("{}... ({} bytes)", json::printable(arguments.substr(0, kShownBytesMax)),
                     arguments.size());
}

std::string tenant_text(const std::optional<TenantName>& tenant) { return tenant ? tenant->text() : "none"; }

std::string duration_text(std::chrono::microseconds time) {
  constexpr std::int64_t kSecond = 1'000'000;
  if (time.count() % kSecond == 0) return fmt::format("{} s", time.count() / kSecond);
  return fmt::format("{} us", time.count());
}

std::chrono::microseconds due_in(const queue::JobRecord& job, WallTime now) {
  return std::max(job.due - now, std::chrono::microseconds{0});
}

// The value as canonical JSON: members of arguments stand in the order of their names already.
void write_value(json::Writer& writer, json::Value value) {
  switch (value.type()) {
    case json::Type::object:
      writer.begin_object();
      value.each_member([&](std::string_view name, json::Value member) {
        writer.key(name);
        write_value(writer, member);
        return true;
      });
      writer.end_object();
      return;
    case json::Type::array:
      writer.begin_array();
      value.each_element([&](json::Value element) {
        write_value(writer, element);
        return true;
      });
      writer.end_array();
      return;
    case json::Type::null:
    case json::Type::boolean:
    case json::Type::integer:
    case json::Type::number:
    case json::Type::string:
      value.write_scalar(writer);
  }
}

std::string text_of(json::Value value) {
  std::string text;
  json::Writer writer(text);
  write_value(writer, value);
  return text;
}

// The members by which two objects differ, as "name: a, not b"; of other values the whole of both.
std::vector<std::string> differences_of_arguments(std::string_view is, std::string_view wanted) {
  const json::ReadLimits limits{.bytes_max = limits::kPayloadMax, .depth_max = limits::kDepthMax};
  const auto left = json::Document::parse(is, limits);
  const auto right = json::Document::parse(wanted, limits);
  if (!left || !right || left->root().type() != json::Type::object ||
      right->root().type() != json::Type::object)
    return {fmt::format("the arguments are {}, not {}", shown(is), shown(wanted))};
  std::vector<std::string> differences;
  right->root().each_member([&](std::string_view name, json::Value value) {
    const auto other = left->root().member(name);
    const std::string a = other ? text_of(*other) : "absent";
    const std::string b = text_of(value);
    if (a != b) differences.push_back(fmt::format("{} is {}, not {}", name, shown(a), shown(b)));
    return true;
  });
  return differences;
}

// What the job lacks; nothing: it is meant.
std::vector<std::string> differences(const Criteria& criteria, const Candidate& job, WallTime now) {
  std::vector<std::string> words;
  const queue::JobRecord& record = job.record;
  const auto differ = [&](std::string_view what, const auto& is, const auto& wanted) {
    words.push_back(fmt::format("{} is {}, not {}", what, is, wanted));
  };
  if (criteria.tenant && record.tenant != criteria.tenant)
    differ("tenant", tenant_text(record.tenant), criteria.tenant->text());
  if (criteria.untenanted && record.tenant) differ("tenant", record.tenant->text(), "none");
  if (criteria.queue && record.queue != *criteria.queue) differ("queue", record.queue, *criteria.queue);
  if (criteria.priority && record.priority.value != *criteria.priority)
    differ("priority", record.priority.value, *criteria.priority);
  if (criteria.batch && record.batch != criteria.batch)
    differ("batch", record.batch ? record.batch->text() : "none", criteria.batch->text());
  if (criteria.due_in && due_in(record, now) != *criteria.due_in)
    differ("due_in", duration_text(due_in(record, now)), duration_text(*criteria.due_in));
  if (criteria.arguments && job.arguments != *criteria.arguments)
    std::ranges::move(differences_of_arguments(job.arguments, *criteria.arguments),
                      std::back_inserter(words));
  if (!criteria.that) return words;
  try {
    if (!criteria.that(job.arguments)) words.emplace_back("`that` does not hold");
  } catch (const std::exception& error) {  // of one candidate: it is not what was meant
    words.push_back(fmt::format("`that` could not be asked: {}", error.what()));
  }
  return words;
}

std::vector<Candidate> jobs_at(queue::Store& store, Stage stage, WallTime now) {
  std::vector<Candidate> jobs;
  store.read([&](queue::JobReader& reader) {
    const queue::ListOptions all{.limit = std::numeric_limits<std::size_t>::max(),
                                 .order = queue::ListOrder::oldest_first};
    for (queue::JobRecord& record : reader.list_jobs({}, all, now).jobs) {
      if (!is_at(stage, record)) continue;
      const auto envelope = queue::read_envelope(reader.envelope(record.seq).value_or(""));
      jobs.push_back({std::move(record), envelope ? envelope->arguments : ""});
    }
  });
  return jobs;
}

bool is_of_kind(const Criteria& criteria, const Candidate& job) {
  return std::ranges::find(criteria.kinds, job.record.kind) != criteria.kinds.end();
}

std::string wanted_text(const Criteria& criteria) {
  std::string text{criteria.kinds.front()};
  if (criteria.tenant) text += fmt::format(", tenant {}", criteria.tenant->text());
  if (criteria.untenanted) text += ", of no tenant";
  if (criteria.queue) text += fmt::format(", queue {}", *criteria.queue);
  if (criteria.priority) text += fmt::format(", priority {}", *criteria.priority);
  if (criteria.batch) text += fmt::format(", in batch {}", criteria.batch->text());
  if (criteria.due_in) text += fmt::format(", due in {}", duration_text(*criteria.due_in));
  if (criteria.arguments) text += ", arguments " + shown(*criteria.arguments);
  if (criteria.that) text += ", for which `that` holds";
  return text;
}

std::string line_of(const Candidate& job, const std::vector<std::string>& differences, WallTime now) {
  const queue::JobRecord& record = job.record;
  std::string text = fmt::format("\n  {} of {}, queue {}, {}", record.kind, tenant_text(record.tenant),
                                 record.queue, name_of(record.state));
  if (record.state == queue::ShownState::scheduled)
    text += fmt::format(", due in {}", duration_text(due_in(record, now)));
  text += ": " + shown(job.arguments);
  std::string_view joint = "\n    but ";
  for (const std::string& difference : differences) {
    text += joint;
    text += difference;
    joint = "; ";
  }
  return text;
}

// Of the kind, those first that differ in least; where there is none, what there is instead.
std::string nearest_text(const Criteria& criteria, const std::vector<Candidate>& jobs, WallTime now) {
  std::vector<std::pair<std::vector<std::string>, const Candidate*>> nearest;
  std::map<std::string, int> others;
  for (const Candidate& job : jobs) {
    if (!is_of_kind(criteria, job)) ++others[job.record.kind];
    else if (auto words = differences(criteria, job, now); !words.empty())
      nearest.emplace_back(std::move(words), &job);
  }
  std::ranges::stable_sort(nearest, {}, [](const auto& each) { return each.first.size(); });
  std::string text;
  for (std::size_t at = 0; at < std::min(nearest.size(), kNearestMax); ++at)
    text += line_of(*nearest[at].second, nearest[at].first, now);
  if (nearest.size() > kNearestMax)
    text += fmt::format("\n  and {} more of the kind", nearest.size() - kNearestMax);
  if (!nearest.empty()) return "; the nearest:" + text;
  for (const auto& [kind, count] : others) text += fmt::format("\n  {} of kind {}", count, kind);
  return text.empty() ? fmt::format("; nothing is {}", words_of(criteria.stage)) : "; there are:" + text;
}

}  // namespace

std::vector<Candidate> matching(queue::Store& store, const Criteria& criteria, WallTime now) {
  std::vector<Candidate> jobs = jobs_at(store, criteria.stage, now);
  std::erase_if(jobs, [&](const Candidate& job) {
    return !is_of_kind(criteria, job) || !differences(criteria, job, now).empty();
  });
  return jobs;
}

Matched match(queue::Store& store, const Criteria& criteria, WallTime now) {
  const std::vector<Candidate> jobs = jobs_at(store, criteria.stage, now);
  std::vector<const Candidate*> meant;
  for (const Candidate& job : jobs)
    if (is_of_kind(criteria, job) && differences(criteria, job, now).empty()) meant.push_back(&job);
  const bool is_match = criteria.times ? meant.size() == *criteria.times : !meant.empty();
  std::string text = fmt::format("{} jobs are {} that are {}", meant.size(), words_of(criteria.stage),
                                 wanted_text(criteria));
  if (criteria.times) text += fmt::format("; {} are wanted", *criteria.times);
  for (const Candidate* const job : meant) text += line_of(*job, {}, now);
  if (!is_match && (!criteria.times || meant.size() < *criteria.times))
    text += nearest_text(criteria, jobs, now);
  return {.is_match = is_match, .message = std::move(text)};
}

}  // namespace tenure::testing::detail
