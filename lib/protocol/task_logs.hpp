// Layer protocol. Where the output of tasks goes, as task.logs answers it: clients read the files themselves.
//
//   {"logs":[{"name":"api","stream":"out","to":"file","path":"/var/log/vigil/api.log","format":"raw",
//             "fault":null},
//            {"name":"web","stream":"out","to":"journal","path":null,"format":null,"fault":null}]}
//
// A task has one entry, "out", or another, "err", after it where its streams are kept apart. Every member is
// always there; what does not apply is null.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json/writer.hpp"

namespace vigil::protocol {

/// The words are the configuration's own; a client may meet some that a newer daemon knows.
struct LogPlace {
    std::string name;
    std::string stream;  ///< "out" or "err"
    std::string to;      ///< "file", "journal", "inherit" or "null"
    std::string path;    ///< absolute; empty where `to` is no file
    std::string format;  ///< "raw", ...; empty where `to` is no file
    std::string fault;   ///< why nothing can be written now; empty: all is well
};

/// One entry of the list.
void write_log_place(json::Writer& out, const LogPlace& place);

/// The result of task.logs. Unknown members are skipped; the error names the member at fault.
[[nodiscard]] Result<std::vector<LogPlace>, std::string> parse_log_places(std::string_view result);

}  // namespace vigil::protocol
