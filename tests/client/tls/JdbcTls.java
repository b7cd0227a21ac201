import java.sql.*;

/** JDBC over TLS: with the CA it queries, without it refuses. Ends with "done", or an exception. */
public class JdbcTls {
    public static void main(String[] args) throws Exception {
        String url = "jdbc:trino://127.0.0.1:" + args[0] + "/tpch/tiny?SSL=true";
        try (Connection c = DriverManager.getConnection(url + "&SSLTrustStorePath=" + args[1], "test", null);
             Statement s = c.createStatement();
             ResultSet r = s.executeQuery("SELECT count(*) FROM nation")) {
            r.next();
            if (r.getLong(1) != 25)
                throw new AssertionError("expected 25, found " + r.getLong(1));
        }
        try (Connection c = DriverManager.getConnection(url, "test", null); Statement s = c.createStatement()) {
            s.executeQuery("SELECT 1");
            throw new AssertionError("a certificate of an unknown CA was taken");
        } catch (SQLException e) {
            if (!e.getMessage().contains("certification path"))
                throw e;
        }
        System.out.println("done");
    }
}
