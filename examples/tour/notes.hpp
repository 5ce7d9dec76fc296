#pragma once

#include <tenure/client.hpp>
#include <tenure/worker.hpp>

#include <string>
#include <string_view>

// A job is plain data with a stable name.
struct AddNote {
  static constexpr std::string_view kind = "notes.add_note";

  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// In the worker program: a handler is anything that can be called. In a function, so that tests have the same.
inline void add_note_jobs(tenure::JobRegistry& jobs) {
  jobs.add<AddNote>([](const AddNote& job, tenure::JobContext& context) {
    context.once("insert", [&](tenure::JobTransaction& transaction) {
      transaction.execute("insert into note (text) values (?)", job.text);
    });
  });
}
