#include "client/fault.hpp"

#include "base/text.hpp"

namespace vigil::client {

Fault fault_of(protocol::RpcError error) {
    Fault::Kind kind = Fault::Kind::refused;
    if (error.code == protocol::ErrorCode::denied) kind = Fault::Kind::denied;
    if (error.code == protocol::ErrorCode::timeout) kind = Fault::Kind::timeout;
    std::string message = escape_for_display(error.message);
    return {.kind = kind, .message = std::move(message), .rpc = std::move(error)};
}

}  // namespace vigil::client
