#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// What a journal consists of (docs/formats/journal.md): records, one behind the other. In memory each has its length and kind before it,
// in a file a check besides.
namespace tenure::daemon::journal {

// In files: never renumber; a new one takes the next number.
enum class RecordKind : std::uint8_t {
  head = 1,      // of files: who wrote it, and why
  snapshot = 2,  // all that the dispatcher remembers, before the next event
  event = 3,     // what happened, and when
  actions = 4,   // what it wanted done about the event before
  end = 5,       // of files: how many records there were
};

struct Record {
  RecordKind kind = RecordKind::event;
  std::string_view payload;
};

// Before each in memory: length of the payload, kind.
inline constexpr std::size_t kRecordFront = sizeof(std::uint32_t) + 1;

// One behind the other in memory.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}
  // False at the end, and where the memory holds no record. Safe in a signal handler.
  [[nodiscard]] bool next(Record& record) {
    if (bytes_.size() < kRecordFront) return false;
    std::uint32_t size = 0;
    std::memcpy(&size, bytes_.data(), sizeof size);
    if (size > bytes_.size() - kRecordFront) return false;
    record = {static_cast<RecordKind>(bytes_[sizeof size]), bytes_.substr(kRecordFront, size)};
    bytes_.remove_prefix(kRecordFront + size);
    return true;
  }

 private:
  std::string_view bytes_;
};

}  // namespace tenure::daemon::journal
