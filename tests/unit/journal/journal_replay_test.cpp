#include "faulty_run.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <journal/journal.hpp>
#include <journal/replay.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace tenure::daemon::journal {
namespace {

std::string file_of(const std::array<std::string_view, 2>& records) {
  const Descriptor file(::memfd_create("journal", MFD_CLOEXEC));
  const std::string head = payload_of(head_of_this_program("simulated", "test", 0, Why::test));
  EXPECT_EQ(write_journal(file.number(), head, records), 0);
  const off_t size = ::lseek(file.number(), 0, SEEK_CUR);
  EXPECT_EQ(::lseek(file.number(), 0, SEEK_SET), 0);
  return read_up_to(file.number(), static_cast<std::size_t>(size)).value();
}

std::vector<std::string> journals_of(const simulation::Simulation& world) {
  std::vector<std::string> files;
  for (const auto& journal : world.journals) files.push_back(file_of(journal->records()));
  return files;
}

// As it was said by the events before each snapshot.
std::vector<std::uint64_t> snapshots_of(const JournalFile& file) {
  std::vector<std::uint64_t> events_before;
  std::uint64_t events = 0;
  for (const Record& record : file.records) {
    events += record.kind == RecordKind::event ? 1U : 0U;
    if (record.kind == RecordKind::snapshot) events_before.push_back(events);
  }
  return events_before;
}

std::string difference_text(const Difference& difference) {
  return fmt::format("event {} ({}), action {}:\n  recorded {}\n  came {}", difference.event,
                     difference.happened, difference.action.value_or(0), difference.recorded,
                     difference.came);
}

TEST(Journal, RPL_01_TheSameEventsGiveTheSameActionsByteForByte) {
  std::uint64_t events = 0;
  std::uint64_t actions = 0;
  constexpr std::size_t kWhole = 64UL << 20U;  // also where a retry waits for an hour of pings
  for (std::uint64_t seed = 1; seed <= seeds(60); ++seed) {
    FaultyRun run(seed, kWhole);
    run.run();
    for (const std::string& bytes : journals_of(run.sim().world)) {
      const Replay replayed = replay(parse_journal(bytes), "simulated");
      ASSERT_FALSE(replayed.difference) << "seed " << seed << ": " << difference_text(*replayed.difference);
      EXPECT_EQ(replayed.first_event, 1U);
      EXPECT_FALSE(replayed.ended_within);
      events += replayed.events;
      actions += replayed.actions;
    }
  }
  EXPECT_GT(events, 10'000U);
  EXPECT_GT(actions, 10'000U);
}

// Each snapshot must have all that the dispatcher remembers: what it lacks shows in an action behind it, or in the next snapshot.
TEST(Journal, RPL_10_ARingThatLostItsBeginningReplaysFromAnyOfItsSnapshots) {
  std::uint64_t began_later = 0;
  std::uint64_t snapshots = 0;
  for (std::uint64_t seed = 1; seed <= seeds(40); ++seed) {
    FaultyRun run(seed, 64UL << 10U);
    run.run();
    for (const std::string& bytes : journals_of(run.sim().world)) {
      const JournalFile file = parse_journal(bytes);
      const Replay whole = replay(file, "simulated");
      began_later += whole.first_event > 1 ? 1U : 0U;
      for (const std::uint64_t events_before : snapshots_of(file)) {
        const std::uint64_t from = whole.first_event + events_before;
        const Replay replayed = replay(file, "simulated", {.from = from});
        ASSERT_FALSE(replayed.difference)
            << "seed " << seed << " from " << from << ": " << difference_text(*replayed.difference);
        ++snapshots;
        if (replayed.events > 0) {
          EXPECT_EQ(replayed.first_event, from);
        }
      }
    }
  }
  EXPECT_GT(began_later, 0U);
  EXPECT_GT(snapshots, seeds(40) * 3);
}

TEST(Journal, RPL_07_TheSameSeedGivesTheSameTrace) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    FaultyRun one(seed);
    one.run();
    FaultyRun other(seed);
    other.run();
    EXPECT_EQ(journals_of(one.sim().world), journals_of(other.sim().world)) << seed;
  }
  FaultyRun another(4);
  another.run();
  FaultyRun first(1);
  first.run();
  EXPECT_NE(journals_of(first.sim().world), journals_of(another.sim().world));
}

TEST(Journal, RPL_07_AFailureTellsSeedAndOptionsAndLeavesAJournalThatReplays) {
  const testing::TemporaryFolder folder;
  FaultyRun run(7);
  run.run();
  const std::string told = run.sim()->write_journals(folder.path(), "run");
  EXPECT_NE(told.find("seed=7 slots=2 "), std::string::npos) << told;
  EXPECT_NE(told.find("PoolSettings{\"other\", 1, [\"default\"], 0, 0, PoolTenants{"), std::string::npos) << told;
  EXPECT_NE(told.find("tenure replay journal " + (folder / "run-life-1.journal").string()), std::string::npos)
      << told;
  for (std::size_t life = 1; life <= run.sim()->journals.size(); ++life) {
    const JournalFile file = read_journal(folder / fmt::format("run-life-{}.journal", life));
    EXPECT_EQ(file.head.why, Why::test);
    EXPECT_FALSE(replay(file, "simulated").difference);
  }
}

// The bytes of one record of a journal are others, and their check agrees.
std::string with_another_record(const JournalFile& file, std::size_t changed, const std::string& payload) {
  std::string records;
  for (std::size_t at = 0; at < file.records.size(); ++at) {
    const std::string_view bytes = at == changed ? payload : file.records[at].payload;
    const auto size = static_cast<std::uint32_t>(bytes.size());
    records.append(reinterpret_cast<const char*>(&size), sizeof size);
    records += static_cast<char>(file.records[at].kind);
    records += bytes;
  }
  return file_of({records, {}});
}

std::string journal_of_one_job() {
  Simulated sim(one_pool(1, 1));
  (void)sim->enqueue({});
  sim->start();
  sim->run_for(1s);
  return journals_of(sim.world).front();
}

TEST(Journal, AReplayThatDiffersNamesTheFirstDifferingEvent) {
  const JournalFile file = parse_journal(journal_of_one_job());
  ASSERT_FALSE(replay(file, "simulated").difference);
  std::uint64_t event = 0;
  std::size_t at = 0;
  Encoder other;
  for (; at < file.records.size(); ++at) {
    event += file.records[at].kind == RecordKind::event ? 1U : 0U;
    if (file.records[at].kind != RecordKind::actions || event != 3) continue;
    other.put(Actions{Ping{ProcessNumber{77}}});
    break;
  }
  const Replay replayed =
      replay(parse_journal(with_another_record(file, at, std::string(other.bytes()))), "simulated");
  ASSERT_TRUE(replayed.difference);
  EXPECT_EQ(replayed.difference->event, 3U);
  EXPECT_EQ(replayed.difference->action, 1U);
  EXPECT_EQ(replayed.difference->recorded, "Ping{ProcessNumber 77}");
  EXPECT_NE(replayed.difference->came, replayed.difference->recorded);
  EXPECT_NE(replayed.difference->happened, "");
  EXPECT_EQ(replayed.events, 3U);
}

TEST(Journal, ADaemonThatEndedWithAnEventLeavesItAsTheLastOne) {
  DispatcherSettings settings = one_pool(1, 1).settings;
  const Dispatcher dispatcher(settings);
  Journal journal(1UL << 20U);
  journal.happened(dispatcher, Started{}, Now{from_us(5), {}});
  std::vector<std::string> told;
  const Replay replayed = replay(
      parse_journal(file_of(journal.records())), "simulated",
      {.from = 5,
       .on_recorded = [&](const Actions&) { told.push_back("recorded"); },
       .on_last = [&](std::uint64_t number, Now,
                      const Event& event) { told.push_back(fmt::format("{} {}", number, text_of(event))); }});
  EXPECT_TRUE(replayed.ended_within);
  EXPECT_FALSE(replayed.difference);
  EXPECT_EQ(told, std::vector<std::string>{"1 Started{}"});
}

TEST(Journal, ASnapshotThatTakesMoreThanItsPartOfTheRingIsLeftOutAndSaidSo) {
  const Dispatcher dispatcher(one_pool(1, 1).settings);
  Journal journal(300);
  journal.happened(dispatcher, Started{}, Now{});
  EXPECT_TRUE(journal.is_too_large());
  EXPECT_THROW((void)replay(parse_journal(file_of(journal.records())), "simulated"), Error);
}

TEST(Journal, ASnapshotThatWasTooLargeIsTriedAgainAfterAMinuteHoweverMuchHappens) {
  DispatcherSettings settings = one_pool(1, 1).settings;
  const Dispatcher small(settings);
  settings.pools.at(0).name.assign(20'000, 'x');
  const Dispatcher large(settings);
  Journal journal(30'000);
  const auto has_snapshot = [&] { return !parse_journal(file_of(journal.records())).records.empty(); };
  journal.happened(large, Started{}, Now{});
  for (int event = 0; event < 5000; ++event) journal.happened(small, TimePassed{}, Now{{}, Instant{59s}});
  EXPECT_TRUE(journal.is_too_large());
  EXPECT_FALSE(has_snapshot());
  journal.happened(small, TimePassed{}, Now{{}, Instant{60s}});
  EXPECT_FALSE(journal.is_too_large());
  EXPECT_TRUE(has_snapshot());
}

TEST(Journal, NothingIsKeptWhereItsSizeIsNothing) {
  const Dispatcher dispatcher(one_pool(1, 1).settings);
  Journal journal(0);
  journal.happened(dispatcher, Started{}, Now{});
  journal.decided({});
  EXPECT_FALSE(journal.is_kept());
  EXPECT_TRUE(journal.records()[0].empty());
}

}  // namespace
}  // namespace tenure::daemon::journal
