// openid-client as an application. Lines of JSON in, lines of JSON out: a configuration, then {"url"} to open, then
// {"callback"} where the browser came back, then what the application learnt.
import * as oidc from 'openid-client'
import * as readline from 'node:readline'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n')

const q = await read()
try {
  const authentication = q.secret ? oidc.ClientSecretPost(q.secret) : oidc.None()
  const config = await oidc.discovery(new URL(q.issuer), q.client, { client_secret: q.secret }, authentication, {
    execute: [oidc.allowInsecureRequests],
  })
  const verifier = oidc.randomPKCECodeVerifier()
  const state = oidc.randomState()
  const nonce = oidc.randomNonce()
  const parameters = {
    redirect_uri: q.redirect, scope: q.scope ?? 'openid profile email', state, nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...q.parameters,
  }
  if (q.hybrid) oidc.useCodeIdTokenResponseType(config)
  if (q.implicit) oidc.useIdTokenResponseType(config)
  const url = q.pushed ? await oidc.buildAuthorizationUrlWithPAR(config, parameters) : oidc.buildAuthorizationUrl(config, parameters)
  say({ url: url.href })
  const { callback } = await read()
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: q.parameters?.max_age }
  if (q.implicit) {
    say({ claims: await oidc.implicitAuthentication(config, new URL(callback), nonce, { expectedState: state }) })
    process.exit(0)
  }
  const tokens = await oidc.authorizationCodeGrant(config, new URL(callback), checks)
  const claims = tokens.claims()
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  const introspection = q.secret ? await oidc.tokenIntrospection(config, refreshed.access_token) : null
  await oidc.tokenRevocation(config, refreshed.refresh_token)
  let revoked = null
  try {
    await oidc.refreshTokenGrant(config, refreshed.refresh_token)
  } catch (e) {
    revoked = e.error
  }
  say({ claims, userinfo, introspection, revoked,
        logout: oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: q.redirect }).href })
} catch (e) {
  say({ failed: e.error ?? e.code ?? String(e), description: e.error_description ?? e.message, cause: String(e.cause ?? '') })
}
process.exit(0)
