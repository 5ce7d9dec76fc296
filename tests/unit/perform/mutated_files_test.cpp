#include "foreign_file.hpp"

#include <tenure/base/random.hpp>

#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <support/shim_vfs.hpp>

namespace tenure::testing {
namespace {

using ::testing::IsEmpty;

constexpr int kMutations = 10'000;
constexpr std::size_t kHeaderBytes = 100;

// Spoils a tenant's file, each time in another way; the same ones for the same seed.
class Spoiler {
 public:
  Spoiler(std::uint64_t seed, std::string bytes, std::filesystem::path path)
      : random_(seed), bytes_(std::move(bytes)), path_(std::move(path)), pages_(bytes_.size() / kPage) {}

  // The file at `path` becomes another one; says what was done to it.
  std::string spoil() {
    constexpr std::array kWays{&Spoiler::flip_bytes, &Spoiler::flip_header,  &Spoiler::write_number,
                               &Spoiler::cut,        &Spoiler::swap_pages,   &Spoiler::copy_page,
                               &Spoiler::zero_page,  &Spoiler::edit_schema,  &Spoiler::make_more,
                               &Spoiler::edit_text,  &Spoiler::edit_stamp,   &Spoiler::lay_beside,
                               &Spoiler::flip_cells, &Spoiler::edit_receipts};
    mutated_ = bytes_;
    beside_.clear();
    sql_.clear();
    (this->*kWays[random_.below(kWays.size())])();
    for (const char* ending : {"", "-wal", "-shm", "-journal"})
      std::filesystem::remove(path_.string() + ending);
    write(path_, mutated_);
    for (const auto& [ending, content] : beside_) write(path_.string() + ending, content);
    if (!sql_.empty()) Shell{path_}.run(sql_);
    return what_ + sql_;
  }

 private:
  static constexpr std::size_t kPage = 4096;

  static void write(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream{path, std::ios::binary}.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::size_t below(std::size_t bound) { return random_.below(bound); }
  char byte() { return static_cast<char>(below(256)); }
  std::string_view one_of(std::initializer_list<std::string_view> words) {
    return *(words.begin() + below(words.size()));
  }

  void flip_bytes() {
    what_ = "bytes flipped";
    for (std::size_t left = 1 + below(8); left > 0; --left) mutated_[below(mutated_.size())] ^= byte();
  }
  void flip_header() {
    what_ = "header flipped";
    for (std::size_t left = 1 + below(3); left > 0; --left) mutated_[below(kHeaderBytes)] = byte();
  }
  // Where a page tells of its cells.
  void flip_cells() {
    const std::size_t page = below(pages_);
    what_ = "cells of page " + std::to_string(page);
    const std::size_t from = page * kPage + (page == 0 ? kHeaderBytes : 0);
    for (std::size_t left = 1 + below(4); left > 0; --left) mutated_[from + below(40)] = byte();
  }
  void write_number() {
    what_ = "number written";
    constexpr std::array<std::uint32_t, 8> kNumbers{0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff};
    const std::uint32_t number = __builtin_bswap32(kNumbers[below(kNumbers.size())]);
    const std::size_t at = below(2) == 0 ? below(kHeaderBytes / 4) * 4 : below(mutated_.size() - 4);
    std::memcpy(mutated_.data() + at, &number, sizeof number);
  }
  void cut() {
    what_ = "cut";
    mutated_.resize(below(2) == 0 ? below(pages_) * kPage : below(mutated_.size()));
    if (below(4) == 0) mutated_.append(below(3 * kPage), byte());
  }
  void swap_pages() {
    what_ = "pages swapped";
    const std::size_t one = below(pages_) * kPage;
    const std::size_t other = below(pages_) * kPage;
    std::swap_ranges(mutated_.data() + one, mutated_.data() + one + kPage, mutated_.data() + other);
  }
  void copy_page() {
    what_ = "page copied over another";
    const std::string page = mutated_.substr(below(pages_) * kPage, kPage);
    mutated_.replace(below(pages_) * kPage, kPage, page);
  }
  void zero_page() {
    what_ = "page emptied";
    mutated_.replace(below(pages_) * kPage, kPage, std::string(kPage, below(2) == 0 ? '\0' : byte()));
  }

  std::string name() {
    return std::string{one_of({"tenure_stamp", "tenure_receipts", "tenure_outbox", "tenure_migration",
                               "sqlite_sequence", "invoice", "customer", "line", "total", "named"})};
  }
  std::string edited_schema() {
    const std::string where = " where name = '" + name() + "'";
    switch (below(8)) {
      case 0:
        return "delete from sqlite_schema" + where;
      case 1:
        return "update sqlite_schema set rootpage = " + std::to_string(below(pages_ + 2)) + where;
      case 2:
        return "update sqlite_schema set type = '" +
               std::string{one_of({"table", "view", "index", "trigger", "", "x"})} + "'" + where;
      case 3:
        return "update sqlite_schema set name = '" + name() + "'" + where;
      case 4:
        return "update sqlite_schema set tbl_name = '" + name() + "'" + where;
      case 5:
        return "update sqlite_schema set sql = " + std::string{one_of({"null", "''", "x'00'", "5"})} + where;
      case 6:
        return "update sqlite_schema set rootpage = (select rootpage from sqlite_schema where name = '" +
               name() + "')" + where;
      default:
        return "insert into sqlite_schema select * from sqlite_schema" + where;
    }
  }
  void edit_schema() {
    what_ = "schema edited: ";
    sql_ = "pragma writable_schema = on; " + edited_schema();
  }
  // A word of a statement becomes another one, or a byte of it.
  void edit_text() {
    what_ = "schema's text edited: ";
    const std::string where = " where name = '" + name() + "'";
    if (below(2) == 0) {
      sql_ =
          "pragma writable_schema = on; update sqlite_schema set sql = replace(sql, '" +
          std::string{one_of({"integer", "text", "not null", "strict", "table", "unique", "primary key",
                              "blob", "without rowid", "check", "job_id", "id", "(", ")", ","})} +
          "', '" +
          std::string{one_of({"integer", "real", "", "view", "generated always as (1)", "unique", "any", ")",
                              "(", "references invoice(id) on delete cascade", "default (randomblob(9))",
                              "''", "collate nobody", "check (abs(1))", "check (load_extension(0))"})} +
          "')" + where;
      return;
    }
    const std::string at = std::to_string(1 + below(200));
    sql_ = "pragma writable_schema = on; update sqlite_schema set sql = substr(sql, 1, " + at + ") || char(" +
           std::to_string(below(128)) + ") || substr(sql, " + at + " + " + std::to_string(below(3)) + ")" +
           where;
  }
  void make_more() {
    what_ = "made: ";
    const std::string table = name();
    switch (below(6)) {
      case 0:
        sql_ = "create trigger more after insert on " + table + " begin delete from " + name() + "; end";
        break;
      case 1:
        sql_ = "create trigger more before update on " + table + " begin update " + name() +
               " set rowid = rowid + 1; insert into customer(name) values('x'); select raise(" +
               std::string{one_of({"rollback, 'x'", "abort, 'x'", "fail, 'x'", "ignore"})} + "); end";
        break;
      case 2:
        sql_ = "create index more on " + table + "(1, " + std::string{one_of({"job_id", "id", "name"})} + ")";
        break;
      case 3:
        sql_ = "create view more as select * from " + table + "; drop table " + table + "; create view " +
               table + " as select 1 as id, 2 as schema, 'acme' as tenant, 1 as generation";
        break;
      case 4:
        sql_ = "alter table " + table + " add column more " +
               std::string{one_of({"text", "any", "generated always as (1 / 0)", "integer default 1"})};
        break;
      default:
        sql_ = "alter table " + table + " rename to " + std::string{one_of({"more", "tenure_more", "line2"})};
    }
  }
  void edit_stamp() {
    what_ = "stamp edited: ";
    sql_ = "pragma ignore_check_constraints = on; update tenure_stamp set " +
           std::string{one_of({"schema", "tenant", "generation", "application", "state", "outbox_epoch"})} +
           " = " +
           std::string{one_of({"0", "-1", "2", "9223372036854775807", "'bolt'", "''", "'acme' || char(0)",
                               "'../x'", "cast(zeroblob(100000) as text)", "generation + 1"})};
  }
  void edit_receipts() {
    what_ = "receipts edited: ";
    sql_ = "insert or replace into tenure_receipts select job, 'pay', 1 << 40, 7, 7, " +
           std::string{one_of({"null", "zeroblob(1000000)", "x'ff00'"})} +
           " from (select zeroblob(16) as job); insert or replace into sqlite_sequence "
           "values('tenure_outbox', " +
           std::string{one_of({"9223372036854775807", "'x'", "-5", "1.5"})} + ")";
  }
  // A log, an index or a journal that is not this file's.
  void lay_beside() {
    what_ = "laid beside it";
    const std::string ending{one_of({"-wal", "-shm", "-journal"})};
    std::string content(below(3 * kPage), '\0');
    for (char& c : content) c = byte();
    if (ending == "-journal" && below(2) == 0) content.replace(0, 8, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7");
    if (ending == "-wal" && content.size() > 32 && below(2) == 0)
      content.replace(0, 8, std::string{"\x37\x7f\x06\x82\x00\x2d\xe2\x18", 8});
    beside_.emplace_back(ending, std::move(content));
  }

  Random random_;
  const std::string bytes_;
  const std::filesystem::path path_;
  const std::size_t pages_;
  std::string mutated_;
  std::vector<std::pair<std::string, std::string>> beside_;
  std::string sql_;
  std::string what_;
};

// Before the fixture's connections, and after them.
struct WithoutSyncs {
  ShimVfs vfs{[](const ShimVfs::Event& event) {
    return event.call == ShimVfs::Call::sync ? ShimVfs::kLeftOut : SQLITE_OK;
  }};
};

class MutatedFiles : public WithoutSyncs, public ForeignFile {
 protected:
  // Of a file that is whole, whatever its schema says: a step that was committed is not carried out again.
  void expect_one_effect(const std::string& what) {
    const int before = paid_;
    if (run() || paid_ == before) return;
    EXPECT_NE(Shell{acme_}.value("pragma integrity_check"), "ok")
        << what << ": a receipt was not found again";
  }
};

// Whatever became of a tenant's file: a typed error that does not blame us, or a job that is done; and nobody else's file is touched.
TEST_F(MutatedFiles, SEC_12_TenThousandMutationsAreRefusedOrClean) {
  Spoiler spoiler{1, good_, acme_};
  int refused = 0;
  int refused_by_handler = 0;
  int clean = 0;
  const auto bolt_written = std::filesystem::last_write_time(bolt_);
  for (int at = 0; at < kMutations; ++at) {
    const std::string what = spoiler.spoil();
    const int before = paid_;
    // One that has seen the tenant's file before takes its word for a reused number of a file, until it opens it.
    if (const auto failure = at % 2 == 0 ? run() : run_with(handles_)) {
      ++(began_ ? refused_by_handler : refused);
      EXPECT_NE(failure->code, ErrorCode::internal) << at << ' ' << what << ": " << failure->error;
      EXPECT_NE(failure->code, ErrorCode::handler_failed) << at << ' ' << what << ": " << failure->error;
      if (!began_) {
        EXPECT_TRUE(failure->code == ErrorCode::tenant_unavailable ||
                    failure->code == ErrorCode::stale_generation ||
                    failure->code == ErrorCode::tenant_deleted)
            << at << ' ' << what << ": " << name_of(failure->code) << ' ' << failure->error;
      }
    } else {
      ++clean;
      EXPECT_LE(paid_, before + 1);
      expect_one_effect(std::to_string(at) + ' ' + what);
    }
    ASSERT_EQ(std::filesystem::last_write_time(bolt_), bolt_written) << at << ' ' << what;
    ASSERT_THAT(strangers(), IsEmpty()) << at << ' ' << what;
  }
  EXPECT_EQ(bytes_of(bolt_), bolt_bytes_);
  // Each of the three is a large part of them, or the mutations are none.
  EXPECT_GT(refused, kMutations / 10);
  EXPECT_GT(refused_by_handler, kMutations / 50);
  EXPECT_GT(clean, kMutations / 10);
  RecordProperty("refused", refused);
  RecordProperty("refused_by_handler", refused_by_handler);
  RecordProperty("clean", clean);
}

}  // namespace
}  // namespace tenure::testing
