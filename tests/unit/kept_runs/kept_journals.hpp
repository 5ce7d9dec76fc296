#pragma once

#include "faulty_run.hpp"

#include <tenure/base/system.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <journal/journal.hpp>
#include <journal/journal_file.hpp>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

// Journals of simulated dispatchers, as files have them.
namespace tenure::daemon::journal {

inline std::string written_journal(const std::array<std::string_view, 2>& records,
                                   const std::string& version = "simulated") {
  const Descriptor file(::memfd_create("journal", MFD_CLOEXEC));
  const std::string head = payload_of(head_of_this_program(version, "test", 12, Why::test));
  EXPECT_EQ(write_journal(file.number(), head, records), 0);
  const off_t size = ::lseek(file.number(), 0, SEEK_CUR);
  EXPECT_EQ(::lseek(file.number(), 0, SEEK_SET), 0);
  return read_up_to(file.number(), static_cast<std::size_t>(size)).value();
}

// The records as they are in memory, to be changed: their checks are made when they are written.
struct KeptRecord {
  RecordKind kind = RecordKind::event;
  std::string payload;
};

inline std::vector<KeptRecord> records_in(const JournalFile& file) {
  std::vector<KeptRecord> records;
  for (const Record& record : file.records) records.push_back({record.kind, std::string(record.payload)});
  return records;
}

inline std::string journal_with(const std::vector<KeptRecord>& records) {
  std::string bytes;
  for (const KeptRecord& record : records) {
    const auto size = static_cast<std::uint32_t>(record.payload.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += static_cast<char>(record.kind);
    bytes += record.payload;
  }
  return written_journal({bytes, {}});
}

// Of a run with faults, the first life of its dispatcher.
inline std::string journal_of_a_faulty_run(std::uint64_t seed) {
  FaultyRun run(seed);
  run.run();
  return written_journal(run.sim().world.journals.front()->records());
}

// A few minutes in which nothing happens, for what looks at each byte.
inline std::string short_journal() {
  Dispatcher dispatcher(one_pool(1, 1).settings);
  Journal journal(1UL << 20U);
  for (int minute = 0; minute < 4; ++minute) {
    const Now now{from_us(1'700'000'000'000'000), Instant{std::chrono::minutes{minute}}};
    const Event event = minute == 0 ? Event{Started{}} : Event{TimePassed{}};
    journal.happened(dispatcher, event, now);
    journal.decided(dispatcher.step(event, now));
  }
  return written_journal(journal.records());
}

}  // namespace tenure::daemon::journal
