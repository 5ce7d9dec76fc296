#include "kept_journals.hpp"

#include <tenure/base/random.hpp>
#include <tenure/replay/compare.hpp>

#include <journal/decoder.hpp>
#include <journal/encoder.hpp>
#include <journal/replay.hpp>
#include <optional>
#include <utility>

// Where a replay parts from what was recorded, its first place is named, however many follow.
namespace tenure::daemon::journal {
namespace {

Actions actions_in(const KeptRecord& record) {
  Decoder decoder(record.payload);
  return decoder.get<Actions>();
}

std::string bytes_with(const Actions& actions) {
  Encoder encoder;
  encoder.put(actions);
  return std::string(encoder.bytes());
}

struct Changed {
  std::uint64_t event = 0;
  std::size_t action = 0;  // from 1
  std::string recorded;
};

// Another action in place of one, one more, or one less.
Changed change_actions(KeptRecord& record, std::uint64_t event, Random& random) {
  Actions actions = actions_in(record);
  const auto at = static_cast<std::size_t>(random.below(actions.size() + 1));
  Changed changed{.event = event, .action = at + 1, .recorded = "Ping{ProcessNumber 77777}"};
  if (at < actions.size() && random.below(2) == 0) {
    actions.resize(at);
    changed.recorded = "nothing";
  } else if (at < actions.size()) {
    actions[at] = Ping{ProcessNumber{77777}};
  } else {
    actions.emplace_back(Ping{ProcessNumber{77777}});
  }
  record.payload = bytes_with(actions);
  return changed;
}

// Of two events that follow each other the first is to be named.
std::vector<Changed> change_two(std::vector<KeptRecord>& records, std::uint64_t first, Random& random) {
  std::vector<Changed> changed;
  std::uint64_t event = 0;
  for (KeptRecord& record : records) {
    event += record.kind == RecordKind::event ? 1U : 0U;
    if (record.kind == RecordKind::actions && event >= first && changed.size() < 2)
      changed.push_back(change_actions(record, event, random));
  }
  return changed;
}

void expect_first_is_named(const JournalFile& file, std::uint64_t first, Random& random) {
  std::vector<KeptRecord> records = records_in(file);
  const std::vector<Changed> changed = change_two(records, first, random);
  ASSERT_FALSE(changed.empty());
  const Replay replayed = replay(parse_journal(journal_with(records)), "simulated");
  ASSERT_TRUE(replayed.difference);
  EXPECT_EQ(replayed.difference->event, changed.front().event);
  EXPECT_EQ(replayed.difference->action, changed.front().action);
  EXPECT_EQ(replayed.difference->recorded, changed.front().recorded);
  EXPECT_NE(replayed.difference->came, changed.front().recorded);
  EXPECT_NE(replayed.difference->happened, "");
}

// Memory that a snapshot has and the dispatcher had not is of the event behind it.
void expect_memory_is_named(const JournalFile& file) {
  std::vector<KeptRecord> records = records_in(file);
  std::uint64_t events = 0;
  std::size_t snapshots = 0;
  for (KeptRecord& record : records) {
    events += record.kind == RecordKind::event ? 1U : 0U;
    if (record.kind != RecordKind::snapshot || ++snapshots != 2) continue;
    record.payload.back() = static_cast<char>(record.payload.back() ^ 1);  // `has_left` of the machine
    break;
  }
  ASSERT_EQ(snapshots, 2U);
  const Replay replayed = replay(parse_journal(journal_with(records)), "simulated");
  ASSERT_TRUE(replayed.difference);
  EXPECT_EQ(replayed.difference->event, events + 1);
  EXPECT_FALSE(replayed.difference->action) << "not in an action: in what is remembered before it";
}

void expect_first_of_a_run_is_named(Random& random) {
  using namespace tenure::replay;
  using tenure::replay::Difference;
  RunRecord recorded;
  const std::size_t many = 5;
  for (std::size_t at = 0; at < many; ++at) {
    const std::string number = std::to_string(at + 1);
    recorded.calls.push_back({"call " + number, number, {}});
    recorded.jobs.push_back({.id = {}, .kind = "books.job_" + number, .queue = "default", .arguments = "{}"});
    recorded.changes.push_back(
        {"invoice", RowChange::Kind::inserted, R"({"id":)" + number + "}", "", R"({"id":)" + number + "}"});
  }
  const auto first = static_cast<std::size_t>(random.below(many));
  RunRecord replayed = recorded;
  const auto expect_at = [&](Difference::In in, const std::string& at) {
    const auto difference = compare(recorded, replayed);
    ASSERT_TRUE(difference);
    EXPECT_EQ(difference->in, in);
    EXPECT_NE(difference->at.find(at), std::string::npos) << difference->text();
    EXPECT_NE(difference->recorded, difference->replayed);
  };
  const std::string number = std::to_string(first + 1);
  for (std::size_t at = first; at < many; ++at) replayed.changes[at].after = "{}";
  expect_at(Difference::In::rows, R"({"id":)" + number + "}");
  for (std::size_t at = first; at < many; ++at) replayed.jobs[at].queue = "slow";
  expect_at(Difference::In::jobs, "job " + number);
  replayed.cursor = "other";
  expect_at(Difference::In::outcome, "the end of the run");
  for (std::size_t at = first; at < many; ++at) replayed.calls[at].value = "other";
  expect_at(Difference::In::calls, "call " + number);
}

TEST(KeptDifferences, RPL_06_AReplayThatDiffersNamesTheFirstDifferingEvent) {
  std::uint64_t looked_at = 0;
  for (std::uint64_t seed = 1; seed <= seeds(6); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const JournalFile file = parse_journal(journal_of_a_faulty_run(seed));
    const Replay whole = replay(file, "simulated");
    ASSERT_FALSE(whole.difference);
    for (int sample = 0; sample < 12; ++sample, ++looked_at)
      expect_first_is_named(file, 1 + random.below(whole.events), random);
    expect_first_of_a_run_is_named(random);
  }
  EXPECT_GT(looked_at, 50U);
  expect_memory_is_named(parse_journal(short_journal()));
}

}  // namespace
}  // namespace tenure::daemon::journal
