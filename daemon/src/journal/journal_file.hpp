#pragma once

#include "record.hpp"

#include <tenure/base/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// A journal as a file (docs/formats/journal.md): written from what is in memory, and read as a whole or refused with the reason.
namespace tenure::daemon::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::string_view kMagic{"\x89TNJ\r\n\x1a\n", 8};

// In files: never renumber; a new one takes the next number.
enum class Why : std::uint8_t { request = 1, crash = 2, test = 3 };
[[nodiscard]] std::string_view name_of(Why why);

// Who wrote it.
struct Head {
  std::string program_version;
  std::uint64_t layout = 0;  // digest of how values are laid out (layout.hpp)
  std::string node;
  std::int64_t pid = 0;
  Why why = Why::request;
};
[[nodiscard]] std::string payload_of(const Head& head);

// Of the records those from the first snapshot on; `head` is payload_of(). 0, or errno. Safe in a signal handler.
[[nodiscard]] int write_journal(int descriptor, std::string_view head,
                                const std::array<std::string_view, 2>& records) noexcept;

// A file that was checked: each of its records is whole, and there is an end.
struct JournalFile {
  std::string bytes;
  Head head;
  std::vector<Record> records;  // of `bytes`; without head and end
};

// BadPayload, with what is wrong and where: no journal; of a newer format; cut; damaged.
[[nodiscard]] JournalFile parse_journal(std::string bytes);
// The same of a file; else as raise_system() says. At most kJournalFileMax.
[[nodiscard]] JournalFile read_journal(const std::filesystem::path& file);

inline constexpr std::size_t kJournalFileMax = 5UL << 30U;

}  // namespace tenure::daemon::journal
