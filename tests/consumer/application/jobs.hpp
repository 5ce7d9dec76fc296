#pragma once

#include <tenure/client.hpp>

#include <string>

struct AddNote {
  static constexpr std::string_view kind = "notes.add_note";

  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};
