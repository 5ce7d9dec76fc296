#pragma once

#include <tenure/queue/memory_store.hpp>
#include <tenure/testing/job_test.hpp>

#include <cereal/cereal.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// A small application: notes of tenants.
namespace tenure::testing {

struct AddNote {
  static constexpr std::string_view kind = "notes.add_note";
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// Adds so many notes, each by a job of its own.
struct AddNotes {
  static constexpr std::string_view kind = "notes.add_notes";
  static JobOptions options() { return {.queue = "bulk"}; }
  int count = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(count));
  }
};

struct Fail {
  static constexpr std::string_view kind = "notes.fail";
};

inline WorldOptions notes_options() {
  return {.application = "notes",
          .migrations = {
              {1, "0001_note.sql", "create table note (id integer primary key, text text not null) strict"}}};
}

class Notes : public JobTest {
 protected:
  Notes() : JobTest(notes_options()) {
    jobs().add<AddNote>([](const AddNote& job, JobContext& context) {
      context.once("add", [&](JobTransaction& transaction) {
        transaction.execute("insert into note (text) values (?)", job.text);
      });
    });
    jobs().add<AddNotes>([](const AddNotes& job, JobContext& context) {
      context.once("enqueue", [&](JobTransaction& transaction) {
        for (int number = 1; number <= job.count; ++number)
          transaction.enqueue(AddNote{"note " + std::to_string(number)});
      });
    });
    jobs().add<Fail>([](const Fail&, JobContext&) { throw std::runtime_error("no route to host"); });
  }

  // Of the current tenant.
  std::vector<std::string> notes() {
    return tenants().open_current()->read([](TenantReader& reader) {
      std::vector<std::string> texts;
      for (const TenantRow& row : reader.query("select text from note order by id"))
        texts.emplace_back(row.text(0));
      return texts;
    });
  }
};

}  // namespace tenure::testing
