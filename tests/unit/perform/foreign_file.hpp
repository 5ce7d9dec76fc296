#pragma once

#include "bookkeeping.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

// The database of acme as somebody else leaves it there, and a job that is performed with it.
namespace tenure::testing {

// SQLite without a setting of ours: whatever a shell can do to a file.
class Shell {
 public:
  explicit Shell(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK)
      throw std::runtime_error("the shell has no file");
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
  }
  ~Shell() { sqlite3_close(database_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  // False where SQLite refuses: a file may be spoilt too much for the next change.
  bool run(const std::string& sql) {
    return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  std::string value(const std::string& sql) {
    std::string value;
    sqlite3_exec(
        database_, sql.c_str(),
        [](void* result, int, char** row, char**) {
          *static_cast<std::string*>(result) = row[0] == nullptr ? "" : row[0];
          return 0;
        },
        &value, nullptr);
    return value;
  }

 private:
  sqlite3* database_ = nullptr;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

class ForeignFile : public Bookkeeping {
 protected:
  ForeignFile() {
    handles_.close_idle();
    {
      Shell shell{acme_};
      EXPECT_TRUE(shell.run(R"sql(
        pragma journal_mode = delete;
        create table customer(id integer primary key, name text not null, born real, photo blob);
        create table line(invoice integer references invoice(id) on delete cascade, at integer, text text,
                          twice integer generated always as (at * 2) virtual, primary key(invoice, at)) without rowid;
        create index customer_name on customer(name collate nocase);
        create view total as select count(*) as lines, sum(paid) as paid from line, invoice;
        create trigger named after insert on customer begin
          update customer set name = trim(new.name) where id = new.id; end;
        with recursive n(i) as (select 2 union all select i + 1 from n where i < 300)
          insert into customer select i, 'name ' || i, i / 7.0, randomblob(i) from n;
        insert into line(invoice, at, text) select 1, id, 'line ' || id from customer where id < 100;
        insert into tenure_outbox(job_id, envelope) values(zeroblob(16), zeroblob(100));
        pragma journal_mode = wal;)sql"));
    }
    good_ = bytes_of(acme_);
    bolt_bytes_ = bytes_of(bolt_);
    jobs_.add<PayInvoice>([this](const PayInvoice&, JobContext& context) { work(context); });
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    job_ = claim();
    handles_.close_idle();
  }

  // Puts `bytes` where the tenant's file belongs, with nothing beside it.
  void place(std::string_view bytes) const {
    for (const char* ending : {"-wal", "-shm", "-journal"}) std::filesystem::remove(acme_.string() + ending);
    std::ofstream{acme_, std::ios::binary | std::ios::trunc}.write(
        bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  // One run of the job, the next one of its claims, by a worker process that has not seen the file before; afterwards nothing is open.
  // Nothing: it succeeded.
  std::optional<queue::AttemptFailure> run() {
    HandleCache handles{handles_.files(), {.wait_max = std::chrono::milliseconds{0}}};
    return run_with(handles);
  }
  std::optional<queue::AttemptFailure> run_with(HandleCache& handles) {
    Performer performer{jobs_, handles, clock_, {.application = "books"}};
    queue::ClaimedJob job = *job_;
    job.token.counter = ++counter_;
    began_ = false;
    std::optional<queue::AttemptFailure> failure = perform_by(performer, job, {});
    handles.close_idle();
    return failure;
  }

  // The stamp, the application's tables, a step with its receipt, and what it wrote.
  void work(JobContext& context) {
    began_ = true;
    context.read([](TenantReader& reader) {
      for (const char* table : {"invoice", "customer", "line", "total", "tenure_outbox"}) {
        TenantRows rows = reader.query("select * from " + std::string{table});
        while (rows.next())
          for (int column = 0; column < rows.row().columns(); ++column)
            static_cast<void>(rows.row().text(column));
      }
    });
    context.once("pay", [&](JobTransaction& transaction) {
      ++paid_;
      transaction.execute("update invoice set paid = paid + 1 where id = 1");
      transaction.execute("insert into customer(name, photo) values(' new ', zeroblob(5000))");
      transaction.execute("delete from line where at % 3 = 0");
    });
    context.read([](TenantReader& reader) {
      TenantRows rows = reader.query("select count(*) from customer where name like 'n%'");
      while (rows.next()) static_cast<void>(rows.row().integer(0));
    });
  }

  // What lies in the tenants' folder besides the two files and what SQLite puts beside acme's.
  [[nodiscard]] std::vector<std::string> strangers() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{acme_.parent_path()}) {
      const std::string name = entry.path().filename().string();
      if (!entry.is_directory() && name != "bolt.db" && !name.starts_with("acme.db")) found.push_back(name);
    }
    return found;
  }

  std::filesystem::path acme_ = handles_.files().path_for(TenantName{"acme"});
  std::filesystem::path bolt_ = handles_.files().path_for(TenantName{"bolt"});
  std::string good_;
  std::string bolt_bytes_;
  std::optional<queue::ClaimedJob> job_;
  bool began_ = false;  // the handler of the last run
  int paid_ = 0;        // how often the step was carried out
};

}  // namespace tenure::testing
