#include "journal_file.hpp"

#include "check.hpp"
#include "decoder.hpp"
#include "encoder.hpp"

#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <utility>

namespace tenure::daemon::journal {
namespace {

// Before each in a file: length of the payload, check, kind.
constexpr std::size_t kFileRecordFront = 2 * sizeof(std::uint32_t) + 1;

using Number32 = std::array<char, 4>;

constexpr Number32 little_endian(std::uint32_t value) {
  Number32 bytes{};
  for (char& byte : bytes) byte = static_cast<char>(value & 0xffU), value >>= 8U;
  return bytes;
}

std::uint32_t number_at(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t at = 4; at > 0; --at) value = value << 8U | static_cast<std::uint8_t>(bytes[at - 1]);
  return value;
}

constexpr std::string_view view(const Number32& bytes) { return {bytes.data(), bytes.size()}; }

std::uint32_t check_of(std::string_view length, char kind, std::string_view payload) {
  Check check;
  check.add(length);
  check.add({&kind, 1});
  check.add(payload);
  return check.value();
}

// Without a buffer of its own on the heap, and without locks.
class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}
  void put(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t taken = std::min(bytes.size(), buffer_.size() - size_);
      std::memcpy(buffer_.data() + size_, bytes.data(), taken);
      size_ += taken;
      bytes.remove_prefix(taken);
      if (size_ == buffer_.size()) flush();
    }
  }
  void put(const Record& record) {
    const Number32 length = little_endian(static_cast<std::uint32_t>(record.payload.size()));
    const char kind = static_cast<char>(record.kind);
    put(view(length));
    put(view(little_endian(check_of(view(length), kind, record.payload))));
    put({&kind, 1});
    put(record.payload);
  }
  int flush() {
    if (error_ == 0 && !write_all(descriptor_, {buffer_.data(), size_})) error_ = errno;
    size_ = 0;
    return error_;
  }

 private:
  int descriptor_;
  int error_ = 0;
  std::size_t size_ = 0;
  std::array<char, 16UL * 1024> buffer_;
};

[[noreturn]] void refuse(std::string_view why) { raise(ErrorCode::bad_payload, std::string(why)); }

[[noreturn]] void refuse_damaged(std::string_view why) {
  refuse(fmt::format("{}; copy the file again, or have the daemon write another one", why));
}

// What stands behind magic and format.
class FileReader {
 public:
  explicit FileReader(std::string_view bytes) : bytes_(bytes), at_(kMagic.size() + sizeof(std::uint32_t)) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::size_t records() const { return records_; }
  [[nodiscard]] bool is_at_end() const { return at_ == bytes_.size(); }

  Record next() {
    const std::string_view rest = bytes_.substr(at_);
    if (rest.empty())
      refuse_damaged(fmt::format("it is cut: there is no end behind its {} records", records_));
    if (rest.size() < kFileRecordFront)
      refuse_damaged(fmt::format("it is cut within the front of record {} at byte {}", records_ + 1, at_));
    const std::uint32_t length = number_at(rest);
    if (length > rest.size() - kFileRecordFront)
      refuse_damaged(fmt::format("it is cut or damaged: record {} at byte {} has {} bytes, and {} are there",
                                 records_ + 1, at_, length, rest.size() - kFileRecordFront));
    const std::string_view payload = rest.substr(kFileRecordFront, length);
    const char kind = rest[2 * sizeof(std::uint32_t)];
    if (check_of(rest.substr(0, 4), kind, payload) != number_at(rest.substr(4)))
      refuse_damaged(fmt::format("it is damaged: record {} at byte {} does not agree with its check",
                                 records_ + 1, at_));
    ++records_;
    at_ += kFileRecordFront + length;
    return {static_cast<RecordKind>(kind), payload};
  }

 private:
  std::string_view bytes_;
  std::size_t at_;
  std::size_t records_ = 0;
};

template <class T>
T value_of(const Record& record, std::string_view what) {
  try {
    Decoder decoder(record.payload);
    T value = decoder.get<T>();
    if (!decoder.is_at_end()) refuse_damaged(fmt::format("{} is longer than it says", what));
    return value;
  } catch (const Unreadable& why) {
    refuse_damaged(fmt::format("{} cannot be read: {}", what, why.what()));
  }
}

std::string all_of_file(const std::filesystem::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.is_open()) raise_system(errno, "the journal cannot be opened", file);
  struct stat status {};
  if (::fstat(opened.number(), &status) != 0) raise_system(errno, "the journal cannot be looked at", file);
  if (!S_ISREG(status.st_mode)) refuse("it is no file");
  if (status.st_size > static_cast<off_t>(kJournalFileMax)) refuse("it is larger than any journal");
  auto bytes = read_up_to(opened.number(), static_cast<std::size_t>(status.st_size));
  if (!bytes) raise_system(errno, "the journal cannot be read", file);
  return std::move(*bytes);
}

}  // namespace

std::string_view name_of(Why why) {
  switch (why) {
    case Why::request:
      return "request";
    case Why::crash:
      return "crash";
    case Why::test:
      return "test";
  }
  return "unknown";
}

std::string payload_of(const Head& head) {
  Encoder encoder;
  encoder.put(head);
  return std::string(encoder.bytes());
}

int write_journal(int descriptor, std::string_view head,
                  const std::array<std::string_view, 2>& records) noexcept {
  Output output(descriptor);
  output.put(kMagic);
  output.put(view(little_endian(kFormatVersion)));
  output.put(Record{RecordKind::head, head});
  bool has_snapshot = false;
  std::uint32_t count = 1;
  for (const std::string_view piece : records) {
    RecordReader reader(piece);
    for (Record record; reader.next(record);) {
      has_snapshot = has_snapshot || record.kind == RecordKind::snapshot;
      if (!has_snapshot) continue;
      output.put(record);
      ++count;
    }
  }
  const Number32 records_before = little_endian(count);
  output.put(Record{RecordKind::end, view(records_before)});
  return output.flush();
}

JournalFile parse_journal(std::string bytes) {
  JournalFile file{.bytes = std::move(bytes), .head = {}, .records = {}};
  const std::string_view all = file.bytes;
  if (!all.starts_with(kMagic)) refuse("it is no journal: it does not begin as one");
  if (all.size() < kMagic.size() + sizeof(std::uint32_t)) refuse_damaged("it is cut behind its first bytes");
  const std::uint32_t version = number_at(all.substr(kMagic.size()));
  if (version > kFormatVersion)
    refuse(
        fmt::format("it is of format {}, and this program reads format {}: a newer one wrote it, replay it "
                    "with that one",
                    version, kFormatVersion));
  if (version == 0) refuse_damaged("it is damaged: there is no format 0");
  FileReader reader(all);
  const Record head = reader.next();
  if (head.kind != RecordKind::head) refuse_damaged("it is damaged: its first record is no head");
  file.head = value_of<Head>(head, "its head");
  for (;;) {
    const std::size_t before = reader.records();
    const Record record = reader.next();
    if (record.kind == RecordKind::end) {
      if (record.payload.size() != 4 || number_at(record.payload) != before)
        refuse_damaged(fmt::format("records are missing: {} are there, and its end says otherwise", before));
      break;
    }
    if (record.kind != RecordKind::snapshot && record.kind != RecordKind::event &&
        record.kind != RecordKind::actions)
      refuse_damaged(fmt::format("record {} is of a kind that there is not, {}", before + 1,
                                 static_cast<int>(record.kind)));
    file.records.push_back(record);
  }
  if (!reader.is_at_end())
    refuse_damaged(fmt::format("{} bytes follow its end", file.bytes.size() - reader.at()));
  return file;
}

JournalFile read_journal(const std::filesystem::path& file) {
  try {
    return parse_journal(all_of_file(file));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_payload) throw;
    raise(ErrorCode::bad_payload, error.failure().message, {}, escaped(file.string()));
  }
}

}  // namespace tenure::daemon::journal
