#include "protocol/upgrade_report.hpp"

#include <array>

#include "protocol/fields.hpp"

namespace vigil::protocol {
namespace {

constexpr std::array<Field<UpgradeReport>, 3> kFields = {{
    {"from", [](JsonCursor& in, UpgradeReport& to) { in.read(to.from); }},
    {"to", [](JsonCursor& in, UpgradeReport& to) { in.read(to.to); }},
    {"program", [](JsonCursor& in, UpgradeReport& to) { in.read(to.program); }},
}};

}  // namespace

void write_upgrade_report(json::Writer& out, const UpgradeReport& report) {
    out.begin_object().member("from", report.from).member("to", report.to);
    out.member("program", report.program).end_object();
}

Result<UpgradeReport, std::string> parse_upgrade_report(std::string_view result) {
    return read_whole<UpgradeReport>(result, kFields);
}

}  // namespace vigil::protocol
