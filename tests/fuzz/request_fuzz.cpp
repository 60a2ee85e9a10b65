// Any bytes as what a client writes to the control socket: cut into lines, each parsed and decoded as far as
// it goes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "json/parse.hpp"
#include "protocol/line_framing.hpp"
#include "protocol/methods.hpp"
#include "protocol/rpc.hpp"

namespace {

using namespace vigil::protocol;

/// An error, whatever a client put into it, is one line of JSON.
void check_error(const RequestId& id, const RpcError& error) {
    std::string line;
    write_error(line, id, error);
    if (line.empty() || line.find('\n') != line.size() - 1 || !vigil::json::parse(line)) std::abort();
}

void serve(std::string_view line) {
    const auto request = parse_request(line);
    if (!request) return check_error(request.error().id, request.error().error);
    const RequestId id = request->id.value_or(RequestId{});
    const auto method = resolve(*request);
    if (!method) return check_error(id, method.error());
    const auto params = decode(**method, request->params());
    if (!params) check_error(id, params.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    LineReader lines(4096);
    const std::size_t cut = size == 0 ? 0 : data[0] % size;
    for (const std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
        lines.feed(piece);
        while (const auto line = lines.next()) serve(*line);
    }
    return 0;
}
