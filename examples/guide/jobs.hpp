#pragma once

#include <tenure/client.hpp>

#include <cereal/cereal.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The jobs of docs/manual/writing-jobs.md, which quotes these files.
namespace guide {

enum class Layout : std::uint8_t { plain, letterhead };

struct Invoice {
  std::int64_t id = 0;
  std::string address;
  std::int64_t total_cents = 0;
};

}  // namespace guide

template <>
struct tenure::EnumRange<guide::Layout> {
  static constexpr guide::Layout first = guide::Layout::plain;
  static constexpr guide::Layout last = guide::Layout::letterhead;
};

template <>
struct tenure::Model<guide::Invoice> {
  static constexpr std::string_view name = "Invoice";

  static std::optional<guide::Invoice> load(tenure::TenantReader& reader, std::string_view id) {
    auto rows = reader.query("select id, address, total_cents from invoice where id = ?", id);
    if (!rows.next()) return std::nullopt;
    const tenure::TenantRow& row = rows.row();
    return guide::Invoice{row.integer(0), std::string{row.text(1)}, row.integer(2)};
  }
};

namespace guide {

struct SendInvoice {
  static constexpr std::string_view kind = "billing.send_invoice";
  static constexpr std::array<std::string_view, 1> aliases{"billing.mail_invoice"};  // its former name
  static tenure::JobOptions options() { return {.queue = "mail", .priority = 10, .attempts_max = 5}; }

  tenure::Ref<Invoice> invoice;
  Layout layout = Layout::plain;
  std::optional<std::string> copy_to;  // came later: empty in older payloads
  int reminder = 0;                    // came later: 0 in older payloads

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice), CEREAL_NVP(layout), CEREAL_NVP(copy_to),
            tenure::optional_field(CEREAL_NVP(reminder)));
  }
};

struct CloseMonth {
  static constexpr std::string_view kind = "billing.close_month";

  int year = 0;
  int month = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(year), CEREAL_NVP(month));
  }
};

struct FetchRates {
  static constexpr std::string_view kind = "billing.fetch_rates";
};

}  // namespace guide
