/** The HTTP gateway as a module: `createGateway(node)` gives a Hono app, `serve(app)` opens a socket for it. */
export { createGateway, type GatewayNode, type GatewayOptions } from "./app.ts";
export { serve, type ServeOptions, type Server } from "./serve.ts";
export type { Hono } from "hono";
